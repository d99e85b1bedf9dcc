from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job

from .checkpoints import checkpoint_write


@job(title=_("台账检查点"), every=dt.timedelta(days=1))
def checkpoint(run: Run) -> None:
    """Write the day's checkpoint; copy the folder elsewhere to be able to prove a cut tail."""
    checkpoint_write(settings.LEDGER_CHECKPOINT_DIR)
