"""The one task of django-tasks: it runs whichever job it is told, under a lease."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import uuid
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection
from django_tasks import task

from xiangsui.foundation.kit import clock

logger = logging.getLogger("xiangsui.jobs")
WORKER = f"{socket.gethostname()}:{os.getpid()}"[:64]


def lease_end() -> dt.datetime:
    """The moment until which a lease taken or renewed now holds."""
    return clock.now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Heartbeat(threading.Thread):
    """Renews a job's lease from a thread of its own, on a connection of its own, until told to stop."""

    def __init__(self, job_id: uuid.UUID) -> None:
        super().__init__(daemon=True, name=f"lease-{job_id}")
        self.job_id = job_id
        self.stopped = threading.Event()

    def run(self) -> None:
        from .models import Job

        try:
            while not self.stopped.wait(settings.JOB_LEASE_SECONDS / 3):
                close_old_connections()
                try:
                    Job.objects.filter(pk=self.job_id, worker=WORKER).update(lease_until=lease_end())
                except Exception:
                    logger.warning("could not renew the lease of job %s", self.job_id, exc_info=True)
        finally:
            connection.close()


@task(takes_context=True)
def run_job(context: Any, kind: str, arguments: dict[str, Any]) -> None:
    """Run a declared job under its lease; on failure queue it again until its retries are used up."""
    from .models import Job
    from .registry import Run, find

    job_id = uuid.UUID(str(context.task_result.id))
    declared = find(kind)
    Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING, worker=WORKER, lease_until=lease_end(), error="")
    if declared is None:
        _finish(job_id, Job.State.FAILED, error=f"no room declares the job {kind}")
        return
    # An in-memory database has one connection only, and no second worker that could take the job over.
    in_memory = "memory" in str(connection.settings_dict["NAME"]) and connection.vendor == "sqlite"
    beat = None if in_memory else Heartbeat(job_id)
    if beat:
        beat.start()
    try:
        declared.function(Run(job_id, WORKER), **arguments)
    except Exception as error:
        logger.exception("job %s (%s) failed", job_id, kind)
        _give_up(job_id, declared.retries, f"{type(error).__name__}: {error}")
        raise
    else:
        _finish(job_id, Job.State.SUCCEEDED)
    finally:
        if beat:
            beat.stopped.set()


def _give_up(job_id: uuid.UUID, retries: int, error: str) -> None:
    """End the job; or, with retries left, let its lease run out soon, so that the sweep queues it again."""
    from .models import Job

    attempts = Job.objects.values_list("attempts", flat=True).get(pk=job_id)
    if attempts >= retries:
        _finish(job_id, Job.State.FAILED, error=error)
    else:
        pause = dt.timedelta(seconds=5 * 4**attempts)
        Job.objects.filter(pk=job_id).update(error=error[:500], lease_until=clock.now() + pause)


def _finish(job_id: uuid.UUID, state: str, error: str = "") -> None:
    from .models import Job

    Job.objects.filter(pk=job_id).update(state=state, error=error[:500], lease_until=None, finished_at=clock.now())
