"""`dev test`: the suite in parts, each on what it needs, and one sum line at the end."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path

from . import chores, environment, place, postgres, site
from .say import Problem, line, status

TESTS = place.ROOT / "tests"
APART = ("engine", "reference", "dev")  # no Django
NEVER = ("scale",)  # measures; run on purpose
BROWSER = "browser"
WITHOUT_DJANGO = ("-p", "no:django", "-W", "ignore::pytest.PytestConfigWarning")
NO_TESTS = 5  # pytest's exit code


@dataclass
class Part:
    name: str
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list = field(default_factory=list)


def test(options, passed_on):
    environment.ready("requirements-dev.lock")
    site.compile_messages()
    rooms = chosen(options.rooms)
    quick = bool(options.rooms) and not options.all
    if not quick:
        fetch_programs(options)
    parts = []
    if not options.rooms:
        parts.append(lint_part())
    for name, paths, extra, env in plan(rooms, options, quick):
        parts.append(pytest_part(name, paths, [*extra, *passed_on], env))
    return report(parts)


def chosen(names):
    """The folders and files under tests that the names mean; all when none is given."""
    if not names:
        return sorted(path for path in TESTS.iterdir() if _is_room(path))
    found = []
    for name in names:
        path = Path(name)
        hits = [path.absolute()] if path.exists() and TESTS in path.absolute().parents else []
        hits = hits or [hit for hit in TESTS.glob(f"**/{name}") if hit.is_dir() and "__pycache__" not in hit.parts]
        hits = hits or list(TESTS.glob(f"**/{name}.py")) or list(TESTS.glob(f"**/test_{name}.py"))
        if not hits:
            raise Problem(f"tests 下没有 {name}。", f"There is no {name} under tests.", code=2)
        found.extend(hits)
    return sorted(set(found))


def _is_room(path):
    return path.is_dir() and path.name not in NEVER and any(path.rglob("test_*.py"))


def plan(rooms, options, quick):
    """Yields (name, paths, pytest's options, environment) for every part that has something to do."""
    apart = [path for path in rooms if _top(path) in APART]
    browser = [path for path in rooms if _top(path) == BROWSER]
    platform = [path for path in rooms if path not in apart and path not in browser]
    wants_browser = options.browser if options.browser is not None else not quick
    wants_postgres = options.postgres if options.postgres is not None else not quick
    spread = [] if quick else ["-n", "2"]
    if apart:
        yield "引擎与工具 engine, reference, dev", apart, [*WITHOUT_DJANGO, "-n", "2"], {}
    if platform:
        yield "平台·SQLite platform", platform, spread, {}
    if platform and wants_postgres:
        if postgres.binaries() is None:
            yield "平台·PostgreSQL platform", None, "没有 PostgreSQL PostgreSQL is not installed", {}
        else:
            with postgres.server() as address:
                env = {"XIANGSUI_DATABASE_URL": address}
                yield "平台·PostgreSQL platform", platform, spread, env
    if browser and (wants_browser or options.rooms) and options.browser is not False:
        if chromium() is None:
            yield "浏览器 browser", None, "没有 Chromium Chromium is not installed", {}
        else:
            yield "浏览器 browser", browser, [], {}


def _top(path):
    return path.relative_to(TESTS).parts[0]


def lint_part():
    part, started = Part("检查 lint"), time.monotonic()
    line(f"── {part.name}")
    for name, good, _ in chores.checks():
        part.passed += good
        part.failed += not good
        if not good:
            part.notes.append(name)
    part.seconds = time.monotonic() - started
    return part


def pytest_part(name, paths, extra, env):
    part, started = Part(name), time.monotonic()
    line(f"── {name}")
    if paths is None:
        # On a developer's machine a missing program is a skip; in CI nobody would ever notice it.
        if os.environ.get("CI"):
            part.failed = 1
        else:
            part.skipped = 1
        part.notes.append(f"未运行 not run: {extra}")
        line(f"  {part.notes[0]}")
        return part
    with tempfile.TemporaryDirectory(prefix="xs-test-") as folder:
        found = Path(folder) / "result.xml"
        command = environment.python("-m", "pytest", f"--junitxml={found}", *map(str, paths), *extra)
        code = subprocess.run(
            command, cwd=place.ROOT, env=test_surroundings(folder, env), stdin=subprocess.DEVNULL
        ).returncode
        _count(part, found, code)
    part.seconds = time.monotonic() - started
    return part


def test_surroundings(folder, extra):
    """No setting of the site that may be running here, and temporary files that go when the part has ended."""
    env = {name: value for name, value in place.surroundings().items() if not name.startswith("XIANGSUI_")}
    env.update(DJANGO_SETTINGS_MODULE="xiangsui.settings.testing", TMPDIR=folder)
    env.update(extra)
    return env


def _count(part, found, code):
    with contextlib.suppress(OSError, ET.ParseError):
        for suite in ET.parse(found).getroot().iter("testsuite"):
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            part.failed += bad
            part.skipped += skipped
            part.passed += max(0, int(suite.get("tests", 0)) - bad - skipped)
    if code not in (0, NO_TESTS) and not part.failed:
        part.failed += 1
        part.notes.append(f"pytest {code}")


def report(parts):
    line()
    for part in parts:
        mark = "✗" if part.failed else "✓"
        counts = f"{part.passed} passed, {part.failed} failed, {part.skipped} skipped"
        line(f"{mark} {part.name}: {counts} · {part.seconds:.0f} s{''.join(f' · {note}' for note in part.notes)}")
    passed, failed, skipped = (sum(getattr(part, name) for part in parts) for name in ("passed", "failed", "skipped"))
    line(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


# ---------------------------------------------------------------- programs the whole suite needs


def chromium():
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def _library(name):
    return next(Path("/usr/lib").glob(f"*/{name}"), None)


def fetch_programs(options):
    """As root on Debian, installs what is missing; anybody else is told at the end what was skipped."""
    missing = []
    if options.browser is not False and (TESTS / BROWSER).exists():
        missing += [] if chromium() else ["chromium"]
        missing += [] if list(Path("/usr/share/fonts").rglob("NotoSansCJK*")) else ["fonts-noto-cjk"]
        # What playwright's own driver is linked with; a slim Debian lacks it.
        missing += [] if _library("libatomic.so.1") else ["libatomic1"]
    if options.postgres is not False and postgres.binaries() is None:
        missing.append("postgresql")
    if not missing or place.WINDOWS or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    status.show(f"安装系统软件 Installing {' '.join(missing)}")
    env = place.surroundings(DEBIAN_FRONTEND="noninteractive")
    quiet = {
        "env": env,
        "stdin": subprocess.DEVNULL,
        "capture_output": True,
        "text": True,
        "errors": "replace",
    }
    subprocess.run(["apt-get", "update"], **quiet)
    done = subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", *missing], **quiet)
    status.clear()
    if done.returncode:
        print(f"  ! apt-get: {done.stderr.strip()[-300:]}", file=sys.stderr, flush=True)
