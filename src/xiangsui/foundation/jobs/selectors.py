from __future__ import annotations

from .models import Job
from .registry import periodic

_SHOWN = 50


def jobs_active() -> list[Job]:
    """Jobs somebody asked for that run or wait, oldest first; the periodic ones are no news."""
    own = [declared.kind for declared, _every in periodic()]
    states = [Job.State.QUEUED, Job.State.RUNNING]
    return list(Job.objects.filter(state__in=states).exclude(kind__in=own).order_by("created_at")[:10])


def jobs_recent() -> list[Job]:
    """The newest jobs, whatever became of them."""
    return list(Job.objects.order_by("-created_at")[:_SHOWN])
