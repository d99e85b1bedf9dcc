"""Keeps the server and the job worker running, and ends them with us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import place
from .say import Problem, line, status

GUARD = Path(__file__).with_name("guard.py")
PATIENCE = 10  # seconds between being asked to stop and being killed
FALLS = 5  # so many ends in a row, each soon after the start, and we give up


class Child:
    steady = 30  # seconds after which an end counts as the first again

    def __init__(self, name, command, log, env=None):
        self.name, self.command, self.log = name, command, log
        self.env = env or place.surroundings()
        self.process = None
        self.falls = 0
        self.started = self.due = 0.0

    def start(self):
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            # -S -E: the guard needs no packages. A session of its own, so that Ctrl-C reaches only us.
            self.process = subprocess.Popen(
                [sys.executable, "-S", "-E", str(GUARD), str(os.getpid()), *self.command],
                cwd=place.ROOT, env=self.env, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        self.started = time.monotonic()

    def look(self):
        """Start it again when it has ended; waits longer each time, and gives up when it never stands."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            code, stood = self.process.returncode, now - self.started
            self._drop()
            self.falls = 1 if stood > self.steady else self.falls + 1
            if self.falls >= FALLS:
                raise Problem(
                    f"{self.name} 连续 {self.falls} 次异常退出（{code}），已停止；最后的日志：\n{self.tail()}\n",
                    f"It kept ending; the whole log is {self.log}.",
                )
            self.due = now + min(2 ** (self.falls - 1), 30) * 0.5
            status.clear()
            line(f"  {self.name} 退出（{code}），重新启动 It ended and is started again · {self.log}")
        if self.process is None and now >= self.due:
            self.start()

    def ask(self):
        """Once only: the second time means `at once` to a worker, and finds a server in the midst of leaving."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def end(self, deadline):
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _kill_group(self.process)
            self.process.wait()
        self._drop()

    def tail(self, lines=12):
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _drop(self):
        if self.process.stdin:
            self.process.stdin.close()
        self.process = None


class Supervisor:
    def __init__(self):
        self.children = []

    def add(self, child):
        self.children.append(child)
        child.start()
        return child

    def look(self):
        for child in self.children:
            child.look()

    def stop(self):
        deadline = time.monotonic() + PATIENCE
        for child in self.children:
            child.ask()
        for child in self.children:
            child.end(deadline)


def _kill_group(process):
    if place.WINDOWS:
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def turn_page(log, keep=4 * place.MEGABYTE):
    """Set a long log aside, so that it does not grow for ever."""
    if log.exists() and log.stat().st_size > keep:
        log.replace(log.with_suffix(".old.log"))
