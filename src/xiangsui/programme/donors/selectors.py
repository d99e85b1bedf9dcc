from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django_scopes import scopes_disabled

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit import numbering
from xiangsui.foundation.kit.pagination import COUNT_LIMIT
from xiangsui.foundation.people.selectors import subjects_found
from xiangsui.programme.hla.sources import SearchRow

from .codes import Status
from .models import Donor, Transfer, Typing

# What a search may find. Reserved donors are shown too, marked: another patient may be waiting for them (domain §2.4).
SEARCHABLE = (Status.LISTED, Status.RESERVED)


def donors_visible(*, assignment: Assignment) -> QuerySet[Donor]:
    """The donors below the assignment's organisation, with their organisation."""
    return Donor.objects.filter(organisation__path__startswith=assignment.tree).select_related("organisation")


def donors_listed_count(*, assignment: Assignment) -> int:
    """How many of them are listed, counted to 10,001 at the most."""
    return donors_visible(assignment=assignment).filter(status=Status.LISTED)[: COUNT_LIMIT + 1].count()


@dataclass(frozen=True)
class SearchCard:
    """What a patient's side learns of a donor: no name, no place, no birthday (domain.md §2.8)."""

    subject: uuid.UUID
    grid: str
    sex: str
    sex_label: str
    age: int
    abo: str
    rhesus: str
    status: str
    status_label: str

    @property
    def grid_print(self) -> str:
        return numbering.grid_print(self.grid)


def search_cards(subjects: Sequence[uuid.UUID]) -> dict[uuid.UUID, SearchCard]:
    """Cards of donors anywhere in the programme: the one selector that crosses scopes, and it holds no identity."""
    cards: dict[uuid.UUID, SearchCard] = {}
    with scopes_disabled():
        for start in range(0, len(subjects), 500):
            for donor in Donor.objects.filter(pk__in=subjects[start : start + 500]):
                cards[donor.uuid] = SearchCard(
                    subject=donor.uuid,
                    grid=donor.grid,
                    sex=donor.sex,
                    sex_label=donor.get_sex_display(),
                    age=donor.age,
                    abo=donor.abo,
                    rhesus=donor.rhesus,
                    status=donor.status,
                    status_label=donor.get_status_display(),
                )
    return cards


def search_rows_all() -> Iterable[SearchRow]:
    """Every donor a search may find, for building the index; streamed in the order of their identifiers."""
    with scopes_disabled():
        rows = (
            Typing.objects.filter(current=True, donor__status__in=SEARCHABLE)
            .order_by("donor_id")
            .values_list("donor_id", "gl")
        )
        yield from (SearchRow(*row) for row in rows.iterator(chunk_size=10_000))


def search_rows_some(subjects: Sequence[uuid.UUID]) -> Iterable[SearchRow]:
    """The present rows of some donors; one who may not be found any more is left out."""
    with scopes_disabled():
        for start in range(0, len(subjects), 500):
            rows = Typing.objects.filter(
                donor_id__in=subjects[start : start + 500], current=True, donor__status__in=SEARCHABLE
            ).values_list("donor_id", "gl")
            yield from (SearchRow(*row) for row in rows)


def donors_by_uuid(subjects: Sequence[uuid.UUID]) -> dict[uuid.UUID, Donor]:
    """Those of some identifiers that are registered anywhere. For services; never for showing."""
    found: dict[uuid.UUID, Donor] = {}
    with scopes_disabled():
        for start in range(0, len(subjects), 500):
            found |= Donor.objects.in_bulk(subjects[start : start + 500])
    return found


def donors_of_people(people: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some people who are donors anywhere. For services; never for showing."""
    with scopes_disabled():
        return set(Donor.objects.filter(person__in=people).values_list("person", flat=True))


def donors_found(*, assignment: Assignment, text: str) -> QuerySet[Donor]:
    """Visible donors whom a GRID, CMDP number, name, pinyin, telephone, its last four digits or an ID number means."""
    visible = donors_visible(assignment=assignment)
    number = numbering.grid_compact(text)
    meant = Q(grid=number) | Q(cmdp_number=number)
    for subjects in subjects_found(text):
        meant |= Q(person__in=subjects)
    return visible.filter(meant)


def transfers_open(*, assignment: Assignment) -> QuerySet[Transfer]:
    """Transfers that wait to be received below the assignment's organisation."""
    with scopes_disabled():
        return (
            Transfer.objects.filter(target__path__startswith=assignment.tree, decided_at=None)
            .select_related("donor", "source", "target")
            .order_by("asked_at")
        )
