"""Code asks for a rule by name, day and place; the nearest organisation's version in force answers."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from xiangsui.foundation.kit import clock
from xiangsui.foundation.orgs.models import Organisation

from .models import RuleVersion


class UnknownRule(LookupError):
    """Code asked for a rule that no version exists of: a mistake of the code or of the data that was shipped."""


def rule(name: str, *, on: dt.date | None = None, at: Organisation | None = None) -> RuleVersion:
    """The version of a rule in force on a day (today) at an organisation (the whole programme).

    A version of an organisation holds for all below it and goes before that of those above it; on the same level
    the latest that is valid by `on` holds.

    Raises:
        UnknownRule: there is none.
    """
    on = on or clock.today()
    where = Q(organisation=None)
    if at is not None:
        where |= Q(organisation__path__in=_paths(at.path))
    versions = RuleVersion.objects.filter(where, name=name, valid_from__lte=on).select_related("organisation")
    best = max(
        versions,
        key=lambda version: (len(version.organisation.path) if version.organisation else 0, version.valid_from),
        default=None,
    )
    if best is None:
        raise UnknownRule(f"no version of the rule {name!r} is in force on {on}")
    return best


def rules_in_force(*, on: dt.date | None = None) -> QuerySet[RuleVersion]:
    """Every version valid by a day, newest first, for the list of rules."""
    return (
        RuleVersion.objects.filter(valid_from__lte=on or clock.today())
        .select_related("organisation")
        .order_by("name", "organisation__path", "-valid_from")
    )


def rule_history(*, name: str) -> QuerySet[RuleVersion]:
    """All versions of a rule, newest first."""
    return RuleVersion.objects.filter(name=name).select_related("organisation").order_by("-valid_from", "-recorded_at")


def _paths(path: str) -> list[str]:
    step = Organisation.steplen
    return [path[:end] for end in range(step, len(path) + 1, step)]
