"""What the user sees at the terminal: Chinese first, English after it."""

import os
import shutil
import sys
import time
import unicodedata


class Problem(Exception):
    """Something the user can put right, told in one sentence; ends `dev` with its exit code."""

    def __init__(self, chinese, english, code=1):
        super().__init__(f"{chinese} {english}")
        self.code = code


def prepare():
    """Never fail because a terminal cannot show Chinese."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace", line_buffering=True)


def line(text=""):
    print(text, flush=True)


def error(problem):
    status.clear()
    print(f"dev: {problem}", file=sys.stderr, flush=True)


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def clip(text, columns):
    taken = 0
    for position, character in enumerate(text):
        taken += width(character)
        if taken > columns:
            return text[:position]
    return text


class Status:
    """One line that is rewritten on a terminal; elsewhere a new label is printed once, and progress now and then."""

    quiet_seconds = 15

    def __init__(self):
        self.shown = False
        self.kind = None
        self.printed = 0.0

    @property
    def on_terminal(self):
        return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    def show(self, label, detail="", kind=None):
        """Shows `label detail`; `kind` says what it is about, when the label itself changes all the time."""
        text = f"  {label} {detail}".rstrip()
        if self.on_terminal:
            columns = shutil.get_terminal_size().columns - 1
            print("\r\x1b[2K" + clip(text, columns), end="", flush=True)
            self.shown = True
        elif (kind or label) != self.kind or time.monotonic() - self.printed > self.quiet_seconds:
            print(text, flush=True)
            self.printed = time.monotonic()
        self.kind = kind or label

    def brief(self, label):
        """Something short: not worth a line in a log."""
        if self.on_terminal:
            self.show(label)

    def progress(self, done, total, label):
        if not total:  # not yet begun
            self.show(f"{label} …")
            return
        share = min(1.0, done / total)
        filled = round(share * 24)
        self.show(f"[{'█' * filled}{'·' * (24 - filled)}] {share:4.0%}", f"{label} {done}/{total}", kind="progress")

    def clear(self):
        if self.shown:
            print("\r\x1b[2K", end="", flush=True)
        self.shown = False
        self.kind = None


status = Status()
