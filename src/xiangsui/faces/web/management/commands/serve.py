from __future__ import annotations

import errno
import os
import signal
import threading
import time
from typing import Any

from cheroot.wsgi import Server
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Serves the site; ends with the process that started it."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--threads", type=int, default=8)

    def handle(self, **options: Any) -> None:
        from xiangsui.wsgi import application

        server = Server(
            (options["host"], options["port"]), application, numthreads=options["threads"], max=64, timeout=30
        )
        server.server_name = "xiangsui"
        threading.Thread(target=_leave_with, args=(os.getppid(),), daemon=True, name="keeper").start()
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            server.prepare()
        except OSError as error:
            if error.errno == errno.EADDRINUSE or "in use" in str(error):
                raise CommandError(
                    f"端口 {options['port']} 已被占用，请用 --port 换一个。"
                    f" Port {options['port']} is taken; choose another with --port."
                ) from error
            raise
        self.stdout.write(f"serving http://{options['host']}:{options['port']}/")
        self.stdout.flush()
        try:
            server.serve()
        except KeyboardInterrupt:
            server.stop()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _leave_with(parent: int) -> None:
    """A server whose starter was killed would hold the port for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)
