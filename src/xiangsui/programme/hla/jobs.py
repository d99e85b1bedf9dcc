from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job

from .models import IndexBuild, PendingChange


@job(title=_("更新检索索引"), every=dt.timedelta(seconds=60))
def compact_when_due(run: Run) -> None:
    """Fold pending changes into the index: many at once, a few after a while, none never."""
    from . import services

    waiting = PendingChange.objects.order_by("pk")
    first = waiting.first()
    if first is None and IndexBuild.objects.exists():
        return
    from xiangsui.foundation.kit import clock

    old = first is not None and first.recorded_at < clock.now() - dt.timedelta(seconds=settings.HLA_COMPACT_SECONDS)
    if first is None or old or waiting.count() >= settings.HLA_COMPACT_AT or not IndexBuild.objects.exists():
        services.index_compact(progress=run.progress)


@job(title=_("重建检索索引"))
def rebuild(run: Run) -> None:
    """Build the index anew from the register, whatever state it is in."""
    from . import services

    services.index_compact(progress=run.progress)
