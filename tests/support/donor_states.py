"""Donors put into any state, and what a step may have touched, for the tests of the workflow and of the register."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from typing import Any

from django_scopes import scopes_disabled

from support import factories
from support.world import patient_gl
from xiangsui.foundation.kit import clock
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.services import Fact, events_append
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.programme.donors.codes import Status
from xiangsui.programme.donors.models import ConsentVersion, Deferral, Donor
from xiangsui.programme.donors.workflow import DONOR
from xiangsui.programme.hla.models import PendingChange

ON_REGISTER = {"listed", "reserved", "deferred"}
SEARCHED = {"listed", "reserved"}
#: What must be said with a step that asks for something.
SAID: dict[str, dict[str, Any]] = {
    "send_to_lab": {"willing": "yes", "understood": "yes"},
    "defer": {"reason": "MR", "axis": "donor", "until": "2999-01-01"},
    "retire": {"reason": "PR"},
}


def said(step: str) -> dict[str, Any]:
    return dict(SAID.get(step, {}))


def stand(place: Organisation, status: str, *, days: int = 200, **fields: Any) -> Donor:
    """A donor for whom every guard holds, in that state since some days, with an event that tells so."""
    wanted = {"typing": patient_gl(), "recruited_by": place, "registered_on": clock.today() - dt.timedelta(days=days)}
    donor = factories.donor(place, **{**wanted, **fields})
    since = donor.status_since
    with scopes_disabled():
        Donor.objects.filter(pk=donor.pk).update(status=status)
        into = next((one.name for one in DONOR.transitions if one.target == status), None)
        if into and status != donor.status:
            told = {"to": status, "direct": True}
            events_append(facts=[Fact(f"donor.{into}", place.uuid, donor.pk, since, 1, details=told)], actor=None)
        if status == Status.DEFERRED:
            Deferral.objects.create(
                donor=donor, reason="MR", axis="donor", until=clock.today() + dt.timedelta(days=9), recorded_at=since
            )
        return fresh(donor)


def fresh(donor: Donor) -> Donor:
    with scopes_disabled():
        return Donor.objects.select_related("organisation").get(pk=donor.pk)


def tables(*donors: Donor) -> dict[str, Any]:
    """Everything a step may write, to be compared with itself."""
    pks = [donor.pk for donor in donors]
    with scopes_disabled():
        return {
            "donors": list(Donor.objects.filter(pk__in=pks).order_by("pk").values()),
            "deferrals": list(Deferral.objects.filter(donor__in=pks).order_by("pk").values()),
            "consents": list(ConsentVersion.objects.filter(donor__in=pks).order_by("pk").values()),
            "events": Event.objects.count(),
            "pending": PendingChange.objects.count(),
        }


def stocks(donor: Donor) -> Counter[tuple[str, uuid.UUID]]:
    """The stock events of a donor, summed by (kind, organisation); without those that are nothing."""
    sums: Counter[tuple[str, uuid.UUID]] = Counter()
    for kind, place, delta in Event.objects.filter(
        subject=donor.pk, kind__in=("donors.listed", "donors.available")
    ).values_list("kind", "organisation", "delta"):
        sums[kind, place] += delta
    return Counter({key: total for key, total in sums.items() if total})


def open_deferrals(donor: Donor) -> int:
    with scopes_disabled():
        return Deferral.objects.filter(donor=donor, ended_at=None).count()
