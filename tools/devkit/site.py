"""Calls of the platform: management commands, the compiled messages, the demonstration's contract."""

import json
import re
import subprocess

from . import environment, place
from .say import Problem, status

SIGNS_OF_NO_DATABASE = re.compile(
    r"connection to server .* failed|could not connect to server|could not translate host name"
    r"|password authentication failed|database \"[^\"]*\" does not exist|failed to resolve host"
)


def command(*arguments):
    return environment.python("-m", "xiangsui", *arguments)


def manage(*arguments, env=None):
    """One management command to its end; its output is kept in the log when it failed."""
    done = subprocess.run(
        command(*arguments), cwd=place.ROOT, env=env or place.surroundings(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, encoding="utf-8", errors="replace",
    )  # fmt: skip
    if done.returncode:
        raise why(arguments[0], done.stdout + done.stderr)
    return done.stdout


def why(name, said):
    if place.is_full(place.home(), said):
        return place.disk_full(place.home())
    if SIGNS_OF_NO_DATABASE.search(said):
        return Problem(
            "连不上数据库，请检查数据库是否已启动、地址与密码是否正确（--database-url 或 XIANGSUI_DATABASE_URL）。",
            "The database cannot be reached: is it running, are address and password right?",
        )
    if "readonly database" in said or "Read-only file system" in said or "unable to open database file" in said:
        return Problem(f"数据文件夹 {place.home()} 不能写入。", "The database in this folder cannot be written.")
    log = place.home() / "logs" / "dev.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(said, encoding="utf-8")
    lines = [text.strip() for text in said.splitlines() if text.strip()] or ["?"]
    reason = re.sub(r"^[\w.]+(?:Error|Configured|Exception): ", "", lines[-1])
    return Problem(f"manage {name} 失败：{reason}", f"The whole output is in {log}.")


def compile_messages():
    """`.po` to `.mo`, where the compiled file is missing or older. The compiled ones are not committed."""
    stale = []
    for source in sorted(place.SRC.glob("*/locale/*/LC_MESSAGES/*.po")):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime <= source.stat().st_mtime:
            stale.append((source, compiled))
    for source, compiled in stale:
        status.show("编译译文 Compiling messages")
        # -f: a fuzzy header must not drop the whole catalogue.
        made = subprocess.run(
            environment.python(
                "-m", "babel.messages.frontend", "compile", "-f", "-i", str(source), "-o", str(compiled)
            ),
            cwd=place.ROOT, env=place.surroundings(), capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if made.returncode:
            raise Problem(f"译文 {source.name} 无法编译：", "Compiling failed: " + made.stderr.strip()[-300:])
    return len(stale)


def sign_ins(env=None):
    """What `manage demo --sign-ins` prints: JSON, one object a line or one list."""
    found = []
    for text in manage("demo", "--sign-ins", env=env).splitlines():
        if text.strip().startswith(("{", "[")):
            said = json.loads(text)
            found.extend(said if isinstance(said, list) else [said])
    return found
