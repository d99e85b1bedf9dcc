from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job
from xiangsui.foundation.kit import clock

from .models import IndexBuild, PendingChange
from .services import index_compact, index_fault


@job(title=_("更新检索索引"), every=dt.timedelta(seconds=60))
def compact_when_due(run: Run) -> None:
    """Fold pending changes into the index: many at once, a few after a while. A lost or damaged index is built anew."""
    waiting = PendingChange.objects.order_by("pk")
    first = waiting.first()
    old = first is not None and first.recorded_at < clock.now() - dt.timedelta(seconds=settings.HLA_COMPACT_SECONDS)
    # Without a build on record, whatever lies in the folder was made for another database.
    unusable = not IndexBuild.objects.exists() or index_fault()
    if unusable or old or waiting.count() >= settings.HLA_COMPACT_AT:
        index_compact(progress=run.progress)
