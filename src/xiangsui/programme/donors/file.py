"""What a donor's file (一人一档) shows, gathered for its page and its print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.people.identity import Identity
from xiangsui.foundation.people.selectors import masked
from xiangsui.foundation.workflow.selectors import transitions_open
from xiangsui.foundation.workflow.table import Transition

from .codes import Consent
from .models import Donor
from .permissions import may_register
from .workflow import DONOR


@dataclass(frozen=True)
class DonorFile:
    """A donor with everything the register holds of him; identity masked (None: a pseudonym, or erased)."""

    donor: Donor
    identity: Identity | None
    steps: list[Transition]
    typings: list[Any]
    consents: list[Any]
    deferrals: list[Any]
    transfers: list[Any]
    missing_consents: list[tuple[str, str]]
    may_register: bool


def donor_file(*, donor: Donor, assignment: Assignment) -> DonorFile:
    """The file of a donor the assignment may see."""
    consents = list(donor.consents.order_by("-given_at"))
    given = {consent.kind for consent in consents if consent.withdrawn_at is None}
    return DonorFile(
        donor=donor,
        identity=masked(people=[donor.person]).get(donor.person.pk) if donor.person else None,
        steps=transitions_open(machine=DONOR, row=donor, assignment=assignment),
        typings=list(donor.typings.order_by("-number")),
        consents=consents,
        deferrals=list(donor.deferrals.order_by("-recorded_at")),
        transfers=list(donor.transfers.select_related("source", "target").order_by("-asked_at")),
        missing_consents=[(kind, str(label)) for kind, label in Consent.choices if kind not in given],
        may_register=may_register(assignment),
    )
