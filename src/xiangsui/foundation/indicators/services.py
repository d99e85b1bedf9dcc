from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable

from django.db import connection, transaction

from xiangsui.foundation.kit import clock
from xiangsui.foundation.ledger import canonical
from xiangsui.foundation.ledger.models import ChainHead, Event
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.orgs.selectors import subtree_on

from .models import DailyTotal, PublishedFigure, Watermark
from .selectors import figure
from .table import find

# An event's time of recording is set before its transaction commits; no transaction lasts this long (mechanism 7).
LAG = dt.timedelta(seconds=30)
_STEP = 2_000
_START = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


def rollup(*, until: dt.datetime | None = None, progress: Callable[[int, int], None] | None = None) -> int:
    """Bring the daily totals up to `until` (all but the last half minute); returns how many events were added.

    Each step moves the watermark in the transaction that adds its totals: killed at any moment, the next run goes
    on where the last complete step ended, and nothing is counted twice.
    """
    until = until or clock.now() - LAG
    added = 0
    while True:
        with transaction.atomic():
            mark = _mark()
            times = list(
                Event.objects.filter(recorded_at__gt=mark.recorded_at, recorded_at__lte=until)
                .order_by("recorded_at")
                .values_list("recorded_at", flat=True)[:_STEP]
            )
            if not times:
                return added
            # All events of one moment go in one step: the watermark is a moment.
            part = Event.objects.filter(recorded_at__gt=mark.recorded_at, recorded_at__lte=times[-1]).exclude(delta=0)
            sums: Counter[tuple[str, uuid.UUID, dt.date]] = Counter()
            for kind, organisation, occurred, delta in part.values_list(
                "kind", "organisation", "occurred_at", "delta"
            ).iterator():
                sums[kind, organisation, occurred.astimezone(clock.BEIJING).date()] += delta
            _add(sums)
            mark.recorded_at = times[-1]
            mark.save(update_fields=["recorded_at"])
            added += len(times)
        if progress:
            progress(added, added + 1)


def _mark() -> Watermark:
    marks = Watermark.objects.all()
    if connection.features.has_select_for_update:
        marks = marks.select_for_update()
    return marks.first() or Watermark.objects.create(pk=1, recorded_at=_START)


def _add(sums: Counter[tuple[str, uuid.UUID, dt.date]]) -> None:
    keys = [key for key, total in sums.items() if total]
    for start in range(0, len(keys), 300):
        part = keys[start : start + 300]
        known = {
            (row.kind, row.organisation, row.day): row
            for row in DailyTotal.objects.filter(
                kind__in={key[0] for key in part},
                organisation__in={key[1] for key in part},
                day__in={key[2] for key in part},
            )
        }
        new = [
            DailyTotal(kind=kind, organisation=organisation, day=day, total=sums[kind, organisation, day])
            for kind, organisation, day in part
            if (kind, organisation, day) not in known
        ]
        for key in part:
            if key in known:
                known[key].total += sums[key]
        DailyTotal.objects.bulk_create(new, batch_size=300)
        DailyTotal.objects.bulk_update([known[key] for key in part if key in known], ["total"], batch_size=300)


def rollup_recount() -> None:
    """Throw the totals away and count them anew from the ledger."""
    with transaction.atomic():
        DailyTotal.objects.all().delete()
        Watermark.objects.all().delete()
    rollup()


def figure_publish(
    *,
    code: str,
    organisation: Organisation,
    occurred_until: dt.date,
    occurred_from: dt.date | None = None,
    qualifier: str = "",
    actor: uuid.UUID | None = None,
) -> PublishedFigure:
    """Freeze a figure as it is given out, with what the ledger said at that moment."""
    with transaction.atomic():
        # Whoever is writing to these chains is waited for: what bears an earlier time of recording is then there.
        link = _link(sorted(subtree_on(organisation=organisation, date=occurred_until)))
        now = clock.now()
        value = figure(
            indicator=find(code),
            organisation=organisation,
            occurred_from=occurred_from,
            occurred_until=occurred_until,
            recorded_until=now,
        )
        return PublishedFigure.objects.create(
            indicator=code,
            organisation=organisation.uuid,
            occurred_from=occurred_from,
            occurred_until=occurred_until,
            recorded_until=now,
            value="" if value is None else str(value),
            qualifier=qualifier,
            link=link,
            published_at=now,
            published_by=actor,
        )


def _link(organisations: list[uuid.UUID]) -> str:
    """One digest over the last links of some chains, which are locked until the transaction ends."""
    heads: dict[uuid.UUID, str] = {}
    for start in range(0, len(organisations), 500):
        part = ChainHead.objects.filter(chain__in=organisations[start : start + 500]).order_by("chain")
        if connection.features.has_select_for_update:
            part = part.select_for_update()
        heads |= {head.chain: head.digest for head in part}
    return canonical.digest(canonical.GENESIS, canonical.text({str(chain): heads[chain] for chain in sorted(heads)}))
