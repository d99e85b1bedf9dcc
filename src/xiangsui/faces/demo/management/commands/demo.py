from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from xiangsui.faces.demo import jobs
from xiangsui.faces.demo.world import PASSWORD, SIGN_INS, world_open
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.jobs.models import Job


class Command(BaseCommand):
    help = "Builds the synthetic demonstration; what is there already stays."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--donors", type=int, default=2_000)
        parser.add_argument("--accounts-only", action="store_true", help="organisations and sign-ins, no donors")
        parser.add_argument("--no-wait", action="store_true", help="queue the job and end; a worker runs it")
        parser.add_argument("--progress-lines", action="store_true", help="print `progress DONE TOTAL label` lines")
        parser.add_argument("--sign-ins", action="store_true", help="print the sign-ins as JSON and end")

    def handle(self, **options: Any) -> None:
        if not settings.DEMO_ALLOWED:
            raise CommandError("演示数据不能进入正式系统。The demonstration is refused under production settings.")
        if options["sign_ins"]:
            self.stdout.write(json.dumps([self._sign_in(who) for who in SIGN_INS], ensure_ascii=False))
            return
        world_open()
        if options["accounts_only"]:
            return
        job = self._job(options["donors"])
        if not options["no_wait"]:
            self._follow(job, options["progress_lines"])

    @staticmethod
    def _sign_in(who: Any) -> dict[str, str]:
        return {"username": who.username, "password": PASSWORD, "role": str(Role(who.role).label)}

    @staticmethod
    def _job(donors: int) -> Job:
        """The job that builds so many donors: the one under way, the one that is done, or a new one."""
        known = Job.objects.filter(kind=jobs.build.kind)
        active = known.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING]).first()
        done = known.filter(state=Job.State.SUCCEEDED, total=donors + 1).first()
        return active or done or jobs.build.enqueue(donors=donors)

    def _follow(self, job: Job, lines: bool) -> None:
        """Watch the job a worker runs. Nothing is lost when this process is stopped: the job goes on."""
        label = job.label
        while True:
            job.refresh_from_db()
            if lines:
                self.stdout.write(f"progress {job.done} {job.total} {label}")
                self.stdout.flush()
            if job.state == Job.State.SUCCEEDED:
                return
            if job.state == Job.State.FAILED:
                raise CommandError(f"{label}: {job.error}")
            time.sleep(0.5)
