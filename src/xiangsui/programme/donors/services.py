from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.programme.hla.services import changes_record, typing_check

from .models import Donor, Status, Typing


@dataclass(frozen=True)
class DonorDraft:
    """A donor to be registered. `uuid` may be made on an offline device; `grid` is given out where it is empty."""

    organisation: Organisation
    sex: str
    birth_year: int
    abo: str = ""
    rhesus: str = ""
    typing: str = ""
    grid: str = ""
    registered_on: dt.date | None = None
    uuid: uuid.UUID = field(default_factory=uuid7)


def donors_register(*, drafts: Sequence[DonorDraft]) -> list[Donor]:
    """Register donors in one transaction; those with a typing are listed and found by the next search.

    Raises:
        Refusal: a wrong GRID, a typing that cannot be read, a year of birth that cannot be.
    """
    donors: list[Donor] = []
    typings: list[Typing] = []
    for draft in drafts:
        if draft.grid and not numbering.grid_is_valid(draft.grid):
            raise Refusal(
                _("GRID“%(grid)s”的校验位不对，应为19位，末两位为校验位。") % {"grid": draft.grid}, code="donor.grid"
            )
        if not 1900 <= draft.birth_year <= clock.today().year:
            raise Refusal(
                _("出生年“%(year)s”不对，应为四位数年份。") % {"year": draft.birth_year}, code="donor.birth_year"
            )
        donor = Donor(
            uuid=draft.uuid,
            grid=draft.grid or numbering.new_grid(),
            organisation=draft.organisation,
            sex=draft.sex,
            birth_year=draft.birth_year,
            abo=draft.abo,
            rhesus=draft.rhesus,
            status=Status.LISTED if draft.typing else Status.ENROLLED,
            registered_on=draft.registered_on or clock.today(),
        )
        donors.append(donor)
        if draft.typing:
            typing_check(draft.typing)
            typings.append(Typing(donor=donor, number=1, gl=draft.typing, recorded_at=clock.now()))
    try:
        _store(donors, typings)
    except IntegrityError as error:
        raise Refusal(_("GRID已经登记过，请核对编号。"), code="donor.grid_taken") from error
    return donors


def _store(donors: list[Donor], typings: list[Typing]) -> None:
    with transaction.atomic():
        Donor.objects.bulk_create(donors, batch_size=500)
        Typing.objects.bulk_create(typings, batch_size=500)
        changes_record([typing.donor_id for typing in typings])


def typing_record(*, donor: Donor, gl: str) -> Typing:
    """Record a new typing of a donor; the last one is kept, superseded.

    Raises:
        Refusal: the typing cannot be read.
    """
    typing_check(gl)
    with transaction.atomic():
        # The donor's row is the lock: two typings recorded at once get two numbers.
        Donor.objects.select_for_update().get(pk=donor.pk)
        last = donor.typings.order_by("-number").first()
        donor.typings.filter(current=True).update(current=False)
        typing = Typing.objects.create(
            donor=donor, number=last.number + 1 if last else 1, gl=gl, recorded_at=clock.now()
        )
        if donor.status in {Status.ENROLLED, Status.SAMPLED, Status.IN_LAB}:
            donor.status = Status.LISTED
            donor.save(update_fields=["status"])
        changes_record([donor.pk])
    return typing
