"""One factory for each model, through the services where there are any. Every default is a valid, invented thing."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import uuid
from typing import Any

from hlaengine import starter
from xiangsui.foundation.accounts.models import Assignment, User
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.accounts.services import user_open
from xiangsui.foundation.jobs.models import Job
from xiangsui.foundation.kit import clock
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.foundation.orgs.services import organisation_open
from xiangsui.programme.donors.models import Donor, Typing
from xiangsui.programme.donors.services import DonorDraft, donors_register, typing_record
from xiangsui.programme.hla.models import IndexBuild, PendingChange
from xiangsui.programme.patients.models import SearchRequest
from xiangsui.programme.patients.services import request_submit

PASSWORD = "correct-horse-battery"
_numbers = itertools.count(1)


@functools.cache
def haplotypes() -> list[dict[str, str]]:
    """The shipped set's haplotypes, locus → allele, the most frequent first."""
    shipped = starter.frequency_set()
    ranked = sorted(
        zip(shipped.frequencies.tolist(), shipped.haplotypes, strict=True), key=lambda pair: (-pair[0], pair[1])
    )
    return [{name.split("*")[0]: name for name in text.split("~")} for _frequency, text in ranked]


def gl_of(
    first: dict[str, str], second: dict[str, str], loci: tuple[str, ...] = ("A", "C", "B", "DRB1", "DQB1")
) -> str:
    """The GL String of a pair of haplotypes."""
    return "^".join(f"{first[locus]}+{second[locus]}" for locus in loci)


def organisation(parent: Organisation | None = None, kind: str = Kind.CITY, **fields: Any) -> Organisation:
    number = next(_numbers)
    return organisation_open(
        **{"code": f"T{number}", "name": f"试验组织{number}", "kind": kind, "parent": parent, **fields}
    )


def user(*assignments: tuple[str, Organisation], **fields: Any) -> User:
    number = next(_numbers)
    return user_open(
        **{
            "username": f"person{number}",
            "name": f"试验员{number}",
            "password": PASSWORD,
            "assignments": list(assignments),
            **fields,
        }
    )


def assignment(
    role: str = Role.CITY_OFFICER,
    place: Organisation | None = None,
    who: User | None = None,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
) -> Assignment:
    return Assignment.objects.create(
        user=who or user(),
        role=role,
        organisation=place or organisation(),
        valid_from=valid_from or clock.today(),
        valid_until=valid_until,
    )


def draft(place: Organisation, **fields: Any) -> DonorDraft:
    return DonorDraft(**{"organisation": place, "sex": "F", "birth_year": clock.today().year - 30, **fields})


def donor(place: Organisation, **fields: Any) -> Donor:
    return donors_register(drafts=[draft(place, **fields)])[0]


def typing(of: Donor, gl: str) -> Typing:
    return typing_record(donor=of, gl=gl)


def search_request(by: Assignment, gl: str, reference: str = "P-1") -> SearchRequest:
    return request_submit(assignment=by, reference=reference, gl=gl)


def pending_change(subject: uuid.UUID) -> PendingChange:
    return PendingChange.objects.create(subject=subject, recorded_at=clock.now())


def index_build(**fields: Any) -> IndexBuild:
    return IndexBuild.objects.create(
        **{
            "built_at": clock.now(),
            "donors": 0,
            "seconds": 0.1,
            "generation": "g",
            "nomenclature": "n",
            "frequency_sets": "f",
            **fields,
        }
    )


def job(**fields: Any) -> Job:
    return Job.objects.create(**{"kind": "nobody.declares.this", "created_at": clock.now(), **fields})
