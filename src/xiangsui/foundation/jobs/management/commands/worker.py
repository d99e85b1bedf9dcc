from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker

from xiangsui.foundation.jobs.registry import before_work
from xiangsui.foundation.jobs.services import jobs_prune, jobs_sweep, jobs_tick

logger = logging.getLogger("xiangsui.jobs")


class Command(BaseCommand):
    help = "Runs background jobs until it is stopped; ends with the process that started it."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="run what is queued, then end")

    def handle(self, **options: Any) -> None:
        worker = Worker(
            queue_names=["*"],
            interval=0.5,
            batch=options["once"],
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )
        for check in before_work:
            check()
        worker.configure_signals()
        if options["once"]:
            worker.run()
            return
        threading.Thread(target=_keep, args=(os.getppid(),), daemon=True, name="keeper").start()
        while worker.running:
            try:
                worker.run()
            except OperationalError:
                # The database went away or stayed locked: the queue is still there when it comes back.
                logger.warning("the database does not answer; trying again", exc_info=True)
                time.sleep(2)


def _keep(parent: int) -> None:
    """Sweep, tick and prune; and leave when the parent is gone, so that no worker outlives its site."""
    turn = 0
    while True:
        try:
            close_old_connections()
            if turn % 10 == 0:
                jobs_sweep()
                jobs_tick()
            if turn % 3_600 == 0:
                jobs_prune()
        except OperationalError:
            logger.warning("the database does not answer; the sweep waits", exc_info=True)
        turn += 1
        time.sleep(1)
        if os.getppid() != parent:
            os._exit(0)
