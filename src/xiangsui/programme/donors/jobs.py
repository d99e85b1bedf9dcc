from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job

from . import services


@job(title=_("结束到期的暂缓"), every=dt.timedelta(hours=1))
def end_deferrals(run: Run) -> None:
    """Donors whose deferral has reached its day are listed again."""
    while services.deferrals_end():
        pass


@job(title=_("超龄退库"), every=dt.timedelta(days=1))
def age_out(run: Run) -> None:
    """Donors beyond the age of the rule leave the register."""
    services.donors_age_out()
