from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django_scopes import scopes_disabled

from xiangsui.foundation.kit import clock
from xiangsui.foundation.privacy.models import LookupToken
from xiangsui.foundation.privacy.selectors import subjects_by_token
from xiangsui.foundation.privacy.services import digest

from .identity import Identity, query_tokens
from .models import Person
from .services import FAMILY, identities_open


def people_visible(*, tree: str) -> QuerySet[Person]:
    """The people of the organisations below `tree`, and those tied to one of them today."""
    today = clock.today()
    tied = (
        Q(ties__organisation__path__startswith=tree)
        & Q(ties__valid_from__lte=today)
        & (Q(ties__valid_until=None) | Q(ties__valid_until__gte=today))
    )
    with scopes_disabled():
        inner = Person.objects.filter(Q(organisation__path__startswith=tree) | tied).values("pk")
        # A subquery instead of the join itself: a person tied twice is one row.
        return Person.objects.filter(pk__in=inner).select_related("organisation")


def people_found(*, tree: str, text: str) -> QuerySet[Person]:
    """The visible people whom a name, pinyin, initials, telephone, its last four digits or an ID number means."""
    tokens = query_tokens(text)
    visible = people_visible(tree=tree)
    if not tokens:
        return visible.none()
    found = [Q(pk__in=subjects_by_token(family=FAMILY, kind=kind, value=value)) for kind, value in tokens]
    return visible.filter(reduce(or_, found), erased_at=None)


def subjects_found(text: str) -> list[QuerySet[Any]]:
    """Subqueries of whom a text means, for rooms that scope their own rows: they never list people by themselves."""
    return [subjects_by_token(family=FAMILY, kind=kind, value=value) for kind, value in query_tokens(text)]


@dataclass(frozen=True)
class Twin:
    """Somebody who may be the same person: `reasons` are the kinds of token they share."""

    person: Person
    reasons: tuple[str, ...]


def twins_of(*, identity: Identity) -> list[Twin]:
    """People anywhere in the programme who may be this one, the surest first. For services that decide, not to show.

    The same document number is the same person; a telephone or a name alone is a hint.
    """
    reasons: dict[uuid.UUID, list[str]] = {}
    for kind, value in identity.tokens():
        if kind in {"id", "phone", "name"}:
            for row in subjects_by_token(family=FAMILY, kind=kind, value=value):
                reasons.setdefault(row["subject"], []).append(kind)  # type: ignore[index]
    sure = {subject: kinds for subject, kinds in reasons.items() if "id" in kinds or len(kinds) > 1 or "phone" in kinds}
    with scopes_disabled():
        people = list(Person.objects.filter(pk__in=list(sure)[:200], erased_at=None).select_related("organisation"))
    order = {"id": 0, "phone": 1, "name": 2}
    twins = [Twin(person, tuple(sorted(sure[person.pk], key=order.__getitem__))) for person in people]
    return sorted(twins, key=lambda twin: (order[twin.reasons[0]], -len(twin.reasons), twin.person.pk))


def masked(*, people: Sequence[Person]) -> dict[uuid.UUID, Identity]:
    """People as lists show them: masked, without a record of reading. The erased are left out."""
    return {subject: identity.masked for subject, identity in identities_open(people=people).items()}


def people_by_document(*, identities: Sequence[Identity]) -> dict[tuple[str, str], Person]:
    """People anywhere who bear one of these documents, by (kind, number). For services that refuse, not to show."""
    wanted = {
        digest(family=FAMILY, kind="id", value=f"{one.id_kind}:{one.id_number}"): (one.id_kind, one.id_number)
        for one in identities
        if one.id_number
    }
    found: dict[tuple[str, str], Person] = {}
    digests = list(wanted)
    with scopes_disabled():
        for start in range(0, len(digests), 500):
            tokens = LookupToken.objects.filter(family=FAMILY, kind="id", digest__in=digests[start : start + 500])
            by_subject = dict(tokens.values_list("subject", "digest"))
            people = Person.objects.filter(pk__in=list(by_subject), erased_at=None).select_related("organisation")
            found.update((wanted[by_subject[person.pk]], person) for person in people)
    return found
