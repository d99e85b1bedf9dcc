"""What keeps the queue honest: jobs of dead workers are queued again, periodic ones are asked for."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from xiangsui.foundation.kit import clock

from .models import Job
from .registry import find, periodic


def jobs_sweep() -> int:
    """Queue every job again that nobody holds: its lease ran out, or its worker died before taking the lease.

    A job is moved only if it still is as it was seen, so that two workers sweeping at once move it once.

    Returns:
        How many jobs were queued again.
    """
    now = clock.now()
    moved = 0
    for row in Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=now):
        same = Job.objects.filter(pk=row.pk, state=row.state, lease_until=row.lease_until)
        declared = find(row.kind)
        if declared is None or row.attempts >= declared.retries:
            same.update(
                state=Job.State.FAILED,
                lease_until=None,
                finished_at=now,
                error=row.error or "its worker was lost",
            )
            continue
        with transaction.atomic():
            if same.update(state=Job.State.QUEUED, attempts=row.attempts + 1, lease_until=None, worker=""):
                moved += _make_ready([row.pk])
    claimed = DBTaskResult.objects.exclude(status=TaskResultStatus.READY).filter(
        started_at__lt=now - dt.timedelta(seconds=settings.JOB_LEASE_SECONDS),
        pk__in=Job.objects.filter(state=Job.State.QUEUED).values("pk"),
    )
    return moved + _make_ready(list(claimed.values_list("pk", flat=True)))


def _make_ready(ids: list[uuid.UUID]) -> int:
    return DBTaskResult.objects.filter(pk__in=ids).update(
        status=TaskResultStatus.READY, started_at=None, finished_at=None
    )


def jobs_tick() -> None:
    """Ask for every periodic job that is due and not already waiting or running."""
    for declared, every in periodic():
        recent = Job.objects.filter(kind=declared.kind).filter(
            Q(created_at__gt=clock.now() - every) | Q(state__in=[Job.State.QUEUED, Job.State.RUNNING])
        )
        if not recent.exists():
            declared.enqueue(once=True)


def jobs_prune(keep_days: int = 30) -> int:
    """Delete finished jobs and their task rows older than `keep_days`; returns how many."""
    old = Job.objects.filter(
        state__in=[Job.State.SUCCEEDED, Job.State.FAILED],
        finished_at__lt=clock.now() - dt.timedelta(days=keep_days),
    )
    ids = list(old.values_list("pk", flat=True)[:5_000])
    DBTaskResult.objects.filter(pk__in=ids).delete()
    return Job.objects.filter(pk__in=ids).delete()[0]
