"""How a room declares a job, and how it asks for one.

    @job(title=_("重建检索索引"), every=timedelta(minutes=10))
    def compact(run: Run) -> None:
        for done, total in work():
            run.progress(done, total)

    compact.enqueue()

A job must bear being run twice: a worker that was killed leaves its job to the next one.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction

from xiangsui.foundation.kit import clock

from .models import Job
from .tasks import run_job


class Run:
    """A running job as its code sees it: report progress, which also renews the lease."""

    def __init__(self, job_id: uuid.UUID, worker: str) -> None:
        self.job_id = job_id
        self.worker = worker
        self._shown = -1.0

    def progress(self, done: int, total: int | None, note: str = "") -> None:
        """Show `done` of `total` (None: not known yet); cheap to call often, written at most twice a second."""
        if done != total and time.monotonic() - self._shown < 0.5:
            return
        self._shown = time.monotonic()
        Job.objects.filter(pk=self.job_id).update(done=done, total=total or 0, note=str(note)[:300])


@dataclass(frozen=True)
class Declared:
    """A declared job: its name, its title for people, its code, how often it runs by itself, how often to retry."""

    kind: str
    title: Any
    function: Callable[..., Any]
    every: dt.timedelta | None
    retries: int

    def enqueue(self, *, owner: uuid.UUID | None = None, once: bool = False, **arguments: Any) -> Job:
        """Queue the job within the caller's transaction and return its row.

        Args:
            owner: who sees it among their jobs.
            once: return the job of this kind that still waits, where there is one.
            arguments: JSON-able keyword arguments of the function.
        """
        with transaction.atomic():
            if once:
                waiting = Job.objects.filter(kind=self.kind, state=Job.State.QUEUED).first()
                if waiting is not None:
                    return waiting
            result = run_job.enqueue(self.kind, arguments)
            return Job.objects.create(
                uuid=uuid.UUID(str(result.id)), kind=self.kind, owner=owner, created_at=clock.now()
            )


class Periodic(NamedTuple):
    """A job that runs by itself, and how often."""

    job: Declared
    every: dt.timedelta


_declared: dict[str, Declared] = {}

#: Called before a worker takes its first job; one that raises keeps it from starting.
before_work: list[Callable[[], None]] = []


def job(*, title: Any, every: dt.timedelta | None = None, retries: int = 2) -> Callable[[Callable[..., Any]], Declared]:
    """Declare a function as a background job; it receives a `Run` first, then its arguments."""

    def declare(function: Callable[..., Any]) -> Declared:
        kind = f"{function.__module__}.{function.__qualname__}"
        _declared[kind] = Declared(kind, title, function, every, retries)
        return _declared[kind]

    return declare


def find(kind: str) -> Declared | None:
    """The declaration of `kind`, or None where no installed room declares it any more."""
    return _declared.get(kind)


def title_of(kind: str) -> str:
    """The title of a kind in the reader's language; the kind itself where it is gone."""
    declared = find(kind)
    return str(declared.title) if declared else kind


def periodic() -> list[Periodic]:
    """All jobs that run by themselves, with how often."""
    return [Periodic(declared, declared.every) for declared in _declared.values() if declared.every]
