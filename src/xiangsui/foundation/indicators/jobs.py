from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job


@job(title=_("汇总指标"), every=dt.timedelta(minutes=2))
def roll_up(run: Run) -> None:
    """Fold new events into the daily totals, so that figures do not count the whole ledger each time."""
    from .services import rollup

    rollup(progress=run.progress)
