"""Figures: any indicator, any organisation, any two dates (what had happened, and what was known)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Subquery, Sum

from xiangsui.foundation.kit import clock
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.orgs.selectors import subtree_on

from .models import DailyTotal, PublishedFigure, Watermark
from .table import Indicator, find

_CHUNK = 500


def figure(
    *,
    indicator: Indicator,
    organisation: Organisation,
    occurred_until: dt.date,
    occurred_from: dt.date | None = None,
    recorded_until: dt.datetime | None = None,
) -> int | Decimal | None:
    """The value of an indicator for an organisation and all that stood below it on `occurred_until`.

    Args:
        occurred_from, occurred_until: both days belong to the period (Beijing); without the first, since ever. A
            stock has no beginning.
        recorded_until: only what was recorded by that moment; None for all that is known now.

    Returns:
        A whole number; for a ratio a Decimal, or None where nothing stands below the line; for a duration the
        median in days, or None where nothing was finished.
    """
    if indicator.kind == "ratio":
        period = {"organisation": organisation, "occurred_until": occurred_until, "recorded_until": recorded_until}
        above = figure(indicator=find(indicator.numerator), occurred_from=occurred_from, **period)  # type: ignore[arg-type]
        below = figure(indicator=find(indicator.denominator), occurred_from=occurred_from, **period)  # type: ignore[arg-type]
        if not below or above is None:
            return None
        return Decimal(above) * indicator.scale / Decimal(below)
    where = _Where.of(organisation, occurred_until)
    first = None if indicator.kind == "stock" else occurred_from
    if indicator.kind == "duration":
        found = sorted(_durations(indicator, where, first, occurred_until, recorded_until))
        return _median(found)
    if indicator.kind == "distinct":
        return _distinct(indicator, where, first, occurred_until, recorded_until)
    if recorded_until is not None:
        return _sum(where.facts(indicator.events, first, occurred_until, recorded_until), "delta")
    return _rolled(indicator, where, first, occurred_until)


@dataclass(frozen=True)
class _Where:
    """Which organisations count: today's subtree by its path, in the database; another day's as a list."""

    path: str | None
    organisations: tuple[uuid.UUID, ...]

    @classmethod
    def of(cls, organisation: Organisation, date: dt.date) -> _Where:
        if date >= clock.today():
            return cls(organisation.path, ())
        return cls(None, tuple(subtree_on(organisation=organisation, date=date)))

    def narrowed(self, rows: QuerySet[Any]) -> Iterable[QuerySet[Any]]:
        """The rows of these organisations, as one query or (a long list fails on SQLite) as several."""
        if self.path is not None:
            below = Organisation.objects.filter(path__startswith=self.path).order_by().values("uuid")
            yield rows.filter(organisation__in=Subquery(below))
            return
        for start in range(0, len(self.organisations), _CHUNK):
            yield rows.filter(organisation__in=self.organisations[start : start + _CHUNK])

    def facts(
        self,
        kinds: Sequence[str],
        first: dt.date | None,
        last: dt.date,
        recorded_until: dt.datetime | None,
        recorded_after: dt.datetime | None = None,
    ) -> Iterable[QuerySet[Event]]:
        """The events of some kinds in a period."""
        rows = Event.objects.filter(kind__in=kinds, occurred_at__lt=_midnight(last + dt.timedelta(days=1)))
        if first is not None:
            rows = rows.filter(occurred_at__gte=_midnight(first))
        if recorded_until is not None:
            rows = rows.filter(recorded_at__lte=recorded_until)
        if recorded_after is not None:
            rows = rows.filter(recorded_at__gt=recorded_after)
        return self.narrowed(rows)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=clock.BEIJING)


def _sum(parts: Iterable[QuerySet[Any]], column: str) -> int:
    return sum(part.aggregate(total=Sum(column))["total"] or 0 for part in parts)


def _rolled(indicator: Indicator, where: _Where, first: dt.date | None, last: dt.date) -> int:
    """Daily totals up to the watermark, and the events recorded since."""
    # A roll-up that commits between the readings would be counted twice: read until the mark stood still.
    while True:
        mark = Watermark.objects.first()
        value = _rolled_from(mark, indicator, where, first, last)
        if _recorded(Watermark.objects.first()) == _recorded(mark):
            return value


def _recorded(mark: Watermark | None) -> dt.datetime | None:
    return mark.recorded_at if mark else None


def _rolled_from(
    mark: Watermark | None, indicator: Indicator, where: _Where, first: dt.date | None, last: dt.date
) -> int:
    totals = DailyTotal.objects.filter(kind__in=indicator.events, day__lte=last)
    if first is not None:
        totals = totals.filter(day__gte=first)
    tail = where.facts(indicator.events, first, last, None, _recorded(mark))
    return _sum(where.narrowed(totals), "total") + _sum(tail, "delta")


def _distinct(
    indicator: Indicator, where: _Where, first: dt.date | None, last: dt.date, recorded_until: dt.datetime | None
) -> int:
    """Subjects whose deltas in the period add up to more than nothing: a correction takes its subject out again."""
    sums: dict[uuid.UUID, int] = {}
    for part in where.facts(indicator.events, first, last, recorded_until):
        for row in part.values("subject").annotate(total=Sum("delta")).order_by():
            sums[row["subject"]] = sums.get(row["subject"], 0) + row["total"]
    return sum(1 for total in sums.values() if total > 0)


def _durations(
    indicator: Indicator, where: _Where, first: dt.date | None, last: dt.date, recorded_until: dt.datetime | None
) -> Iterable[Decimal]:
    """Days from the latest beginning before each ending, for endings in the period that were not corrected."""
    for part in where.facts(indicator.events, first, last, recorded_until):
        endings = list(part.values_list("uuid", "subject", "occurred_at", "corrects"))
        corrected = {corrects for _uuid, _subject, _at, corrects in endings if corrects}
        open_ones = [(s, at) for u, s, at, corrects in endings if not corrects and u not in corrected]
        subjects = list({subject for subject, _at in open_ones})
        begun: dict[uuid.UUID, list[dt.datetime]] = {}
        for start in range(0, len(subjects), _CHUNK):
            rows = Event.objects.filter(
                kind__in=indicator.begins, subject__in=subjects[start : start + _CHUNK], delta__gt=0
            )
            if recorded_until is not None:
                rows = rows.filter(recorded_at__lte=recorded_until)
            corrections = Event.objects.filter(subject__in=subjects[start : start + _CHUNK], corrects__isnull=False)
            if recorded_until is not None:
                corrections = corrections.filter(recorded_at__lte=recorded_until)
            undone = set(corrections.values_list("corrects", flat=True))
            for event, subject, at in rows.values_list("uuid", "subject", "occurred_at"):
                if event not in undone:
                    begun.setdefault(subject, []).append(at)
        for subject, at in open_ones:
            before = [start for start in begun.get(subject, ()) if start <= at]
            if before:
                yield Decimal((at - max(before)).total_seconds()) / 86_400


def _median(found: list[Decimal]) -> Decimal | None:
    if not found:
        return None
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2


@dataclass(frozen=True)
class Rederived:
    """A published figure counted again: as it was known then, and as it is known now."""

    published: PublishedFigure
    then: Any
    now: Any

    @property
    def holds(self) -> bool:
        """Whether the ledger still says what was published."""
        return ("" if self.then is None else str(self.then)) == self.published.value


def figure_rederive(*, published: PublishedFigure) -> Rederived:
    """Count a published figure again from the ledger, with the dates it was published under, and without them."""
    organisation = Organisation.objects.get(uuid=published.organisation)
    period = {
        "indicator": find(published.indicator),
        "organisation": organisation,
        "occurred_from": published.occurred_from,
        "occurred_until": published.occurred_until,
    }
    then = figure(**period, recorded_until=published.recorded_until)
    return Rederived(published, then, figure(**period))
