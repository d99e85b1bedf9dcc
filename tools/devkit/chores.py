"""The smaller commands: lock, messages, frontend, bench, lint."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import environment, place
from .say import Problem, line, status

# ---------------------------------------------------------------- lock


def lock():
    """Locks both .in files again: hashes, no addresses."""
    with tempfile.TemporaryDirectory() as folder:
        status.show("准备 uv Getting uv")
        uv = shutil.which("uv") or _fetch_uv(Path(folder))
        for name in ("requirements", "requirements-dev"):
            status.show(f"锁定 Locking {name}.in")
            arguments = (
                "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header",
                "--python-version", "3.11", "--quiet", f"{name}.in", "-o", f"{name}.lock",
            )  # fmt: skip
            if name == "requirements-dev":  # the second lock repeats the first one's versions
                arguments += ("-c", "requirements.lock")
            env = place.surroundings(UV_SYSTEM_CERTS="1")
            done = subprocess.run([uv, *arguments], cwd=place.ROOT, env=env, capture_output=True, text=True)
            if done.returncode:
                raise Problem(f"锁定 {name}.in 失败：", "Locking failed: " + done.stderr.strip()[-500:])
    status.clear()
    line("✓ requirements.lock, requirements-dev.lock")
    return 0


def _fetch_uv(folder):
    subprocess.run([sys.executable, "-m", "venv", str(folder / "uv")], check=True, env=place.surroundings())
    binaries = folder / "uv" / ("Scripts" if place.WINDOWS else "bin")
    done = subprocess.run(
        [str(binaries / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv"],
        env=place.surroundings(), capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise Problem("装不上 uv：", "Installing uv failed: " + done.stderr.strip()[-300:])
    return str(binaries / "uv")


# ---------------------------------------------------------------- messages, frontend, bench


def messages():
    environment.ready("requirements.lock")
    command = environment.python("-m", "xiangsui.foundation.kit.messages")
    return subprocess.run(command, cwd=place.ROOT, env=place.surroundings()).returncode


def frontend():
    npm = shutil.which("npm")
    if npm is None:
        raise Problem("构建前端需要 Node.js 与 npm。", "Building the front end needs Node.js and npm.")
    folder = place.ROOT / "frontend"
    for arguments in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
        code = subprocess.run([npm, *arguments], cwd=folder, env=place.surroundings()).returncode
        if code:
            return code
    return 0


BENCH_SIZES = (10_000, 100_000, 1_000_000)


def bench(arguments):
    """The engine over growing registers, each size in a process of its own, so that its peak memory is its own."""
    if arguments:
        return _measured("hlaengine", "bench", *arguments)
    for donors in BENCH_SIZES:
        line(f"── {donors:,} donors")
        code = _measured("hlaengine", "bench", "--donors", str(donors))
        if code:
            return code
    if any(place.SRC.glob("xiangsui/**/management/commands/bench.py")):
        line("── 平台 platform")
        return _measured("xiangsui", "bench")
    return 0


def _measured(module, *arguments):
    started = time.monotonic()
    process = subprocess.Popen(environment.python("-m", module, *arguments), env=place.surroundings())
    if not hasattr(os, "wait4"):
        return process.wait()
    _, ended, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(ended)
    peak = usage.ru_maxrss // (place.MEGABYTE if sys.platform == "darwin" else 1024)
    line(f"   {time.monotonic() - started:.1f} s, 峰值内存 peak memory {peak} MB")
    return process.returncode


# ---------------------------------------------------------------- format, lint


def format():
    """Writes code and templates in their one style; leaves alone what lint would only complain about."""
    environment.ready("requirements-dev.lock")
    for said in (
        _tool("-m", "ruff", "check", "--quiet", "--fix-only", ".", "dev"),
        _tool("-m", "ruff", "format", "--quiet", ".", "dev"),
        _templates(write=True),
    ):
        line(said) if said else None
    return 0


def lint():
    environment.ready("requirements-dev.lock")
    failed = [name for name, good, _ in checks() if not good]
    line("✓ 检查全部通过 All checks passed" if not failed else f"✗ 未通过 Failed: {', '.join(failed)}")
    return 1 if failed else 0


def checks():
    """Runs every check and yields (name, passed, seconds); what a failed one said is printed."""
    for name, check in CHECKS.items():
        status.brief(f"检查 Checking {name}")
        started = time.monotonic()
        said = check()
        seconds = time.monotonic() - started
        status.clear()
        line(f"  {'✓' if not said else '✗'} {name} ({seconds:.1f} s)")
        if said:
            line(said.rstrip())
        yield name, not said, seconds


def _tool(*arguments):
    if not arguments[0].startswith("-"):  # a program of its own, not a module
        command = [str(place.PYTHON.with_name(arguments[0])), *arguments[1:]]
    else:
        command = environment.python(*arguments)
    done = subprocess.run(
        command, cwd=place.ROOT, capture_output=True, text=True, errors="replace",
        env=place.surroundings(DJANGO_SETTINGS_MODULE="xiangsui.settings.testing"),
    )  # fmt: skip
    return (done.stdout + done.stderr or f"exit {done.returncode}") if done.returncode else ""


def _ruff():
    return _tool("-m", "ruff", "check", "--quiet", ".", "dev")


def _contracts():
    return _tool("-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache")


def _mypy():
    return _tool("-m", "mypy", "--no-error-summary")


def _templates(write=False):
    found = [str(path) for path in sorted(place.SRC.glob("xiangsui/**/templates/**/*.html"))]
    return _tool("djade", *([] if write else ["--check"]), "--target-version", "5.2", *found) if found else ""


def _migrations():
    return _tool("-m", "xiangsui", "makemigrations", "--check", "--dry-run", "-v", "1")


def _translations():
    said = _tool("-m", "xiangsui.foundation.kit.messages", "--check").splitlines()
    return "\n".join([*said[:8], f"… {len(said)} lines"] if len(said) > 9 else said)


# Written so that this file does not name what it looks for.
_ADDRESSES = re.compile(
    r"(?:py)pi[.]org|(?:python)hosted[.]org|registry[.](?:npm|yarnpkg)|(?:npm)mirror[.]com|deb[.](?:debian)[.]org"
)
_HOMES = re.compile(r"(?<![\w.])/(?:home/[a-z][\w-]*|root|Users/[A-Za-z][\w-]*)/|[A-Z]:\\Users\\")


def _committed():
    """No committed file names a package registry or a path of somebody's machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=place.ROOT, capture_output=True,
    ) if shutil.which("git") else None  # fmt: skip
    if listed is None or listed.returncode:
        return ""
    here = {str(place.ROOT)}
    if len(place.ROOT.parts) > 2 and place.ROOT.parts[1] not in {"tmp", "var", "usr", "opt", "srv", "home"}:
        here.add(f"/{place.ROOT.parts[1]}/")
    said = []
    for name in listed.stdout.decode().split("\0"):
        path = place.ROOT / name
        if not name or not path.is_file() or path.is_symlink() or path.stat().st_size > 5 * place.MEGABYTE:
            continue
        content = path.read_bytes()
        if b"\0" in content[:8000]:
            continue
        for number, text in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            hit = _ADDRESSES.search(text) or _HOMES.search(text)
            word = hit[0] if hit else next((place_ for place_ in here if place_ in text), None)
            if word:
                said.append(f"{name}:{number}: {word}")
    return "\n".join(said)


CHECKS = {
    "ruff": _ruff,
    "import contracts": _contracts,
    "migrations": _migrations,
    "templates": _templates,
    "translations": _translations,
    "no addresses": _committed,
    "mypy": _mypy,
}
