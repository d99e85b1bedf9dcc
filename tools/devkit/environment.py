"""The project's own .venv: made when missing, filled from a hash-locked file when that file has changed."""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

from . import place
from .say import Problem, status

LOCKS = ("requirements.lock", "requirements-dev.lock")  # the second holds all of the first
MEGABYTES = {"requirements.lock": 900, "requirements-dev.lock": 1500}  # the folder and pip's own copies
SIGNS_OF_NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|ConnectionResetError"
    r"|Connection (?:refused|reset|aborted)|Temporary failure in name resolution|Network is unreachable|SSLError"
    r"|There was a problem confirming the ssl certificate"
)


def ready(lock="requirements.lock"):
    """Make `.venv` hold what `lock` names; does nothing when it already does. True when something was installed."""
    stamps = _stamps()
    wanted = _digest(place.ROOT / lock)
    if stamps.get(lock) == wanted and stamps.get("interpreter") == _interpreter():
        _link_source()
        return False
    place.require_writable(place.ROOT)
    place.require_space(place.ROOT, MEGABYTES[lock])
    place.VENV.mkdir(exist_ok=True)
    with _alone(place.VENV / ".lock"):
        stamps = _stamps()
        if not stamps or not _works():
            _create()
            stamps = {}
        if stamps.get(lock) != wanted:
            _install(lock)
            stamps[lock] = wanted
            if lock == LOCKS[1]:  # a superset; tests/dev/test_locks.py holds the two together
                stamps[LOCKS[0]] = _digest(place.ROOT / LOCKS[0])
        stamps["interpreter"] = _interpreter()
        (place.VENV / "stamp.json").write_text(json.dumps(stamps, indent=1))
    _link_source()
    status.clear()
    return True


def python(*arguments):
    return [str(place.PYTHON), *arguments]


def _interpreter():
    """Names the Python behind .venv; changes when it is upgraded or gone, and .venv is then looked at anew."""
    try:
        found = place.PYTHON.resolve(strict=True)
        return f"{found} {found.stat().st_mtime_ns}"
    except OSError:
        return None


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stamps():
    try:
        return json.loads((place.VENV / "stamp.json").read_text())
    except (OSError, ValueError):
        return {}


def _works():
    if not place.PYTHON.exists():
        return False
    asked = subprocess.run(python("-c", "import pip"), capture_output=True, env=place.surroundings())
    return asked.returncode == 0


@contextlib.contextmanager
def _alone(path):
    """Two `dev` at once must not fill one folder."""
    with path.open("w") as held:
        if not place.WINDOWS:
            import fcntl

            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                status.show("等待另一个 dev 完成安装 Waiting for another dev to finish installing")
                fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _create():
    status.show("建立 Python 环境 Making .venv")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise Problem(
            "这个 Python 缺少 venv 模块，请先安装（Debian/Ubuntu：apt install python3-venv）。",
            "This Python lacks the venv module: install python3-venv first.",
        )
    for leftover in place.VENV.iterdir():
        if leftover.name != ".lock":
            shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(place.VENV)],
        capture_output=True, text=True, errors="replace", env=place.surroundings(),
    )  # fmt: skip
    if made.returncode:
        said = made.stdout + made.stderr
        if place.is_full(place.VENV, said):
            raise place.disk_full(place.VENV)
        if "ensurepip" in said and "not available" in said:
            raise Problem(
                "这个 Python 缺少 venv 模块，请先安装（Debian/Ubuntu：apt install python3-venv）。",
                "This Python lacks ensurepip: install python3-venv first.",
            )
        raise Problem("建立 .venv 失败：", "Making .venv failed: " + _last(said))


def _install(lock):
    command = python(
        "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar", "off",
        "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-warn-script-location", "-r", lock,
    )  # fmt: skip
    total = len(re.findall(r"(?m)^[A-Za-z0-9]", (place.ROOT / lock).read_text()))
    label = "安装依赖 Installing packages"
    status.show(label)
    said, seen = [], 0
    env = place.surroundings(PIP_USER="0", PIP_CONSTRAINT=os.devnull, LC_ALL="C.UTF-8")
    with subprocess.Popen(
        command, cwd=place.ROOT, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as pip:  # fmt: skip
        try:
            for text in pip.stdout:
                said.append(text)
                word = text.split()
                if word[:1] == ["Collecting"]:
                    seen += 1
                    status.progress(seen, total, f"{label} {word[1].partition('==')[0]}")
                elif word[:2] == ["WARNING:", "Retrying"]:
                    status.show(label, "网络不通，重试中… no answer from the network, trying again…")
                elif word[:2] == ["Installing", "collected"]:
                    status.show(label, "正在解包 unpacking…")
        except KeyboardInterrupt:
            pip.terminate()
            raise
    if pip.returncode:
        raise _why("".join(said), lock)


def _why(said, lock):
    if place.is_full(place.VENV, said):
        return place.disk_full(place.VENV)
    if SIGNS_OF_NO_NETWORK.search(said):
        return Problem(
            "连不上软件包仓库，无法安装依赖：请检查网络、代理或 pip 镜像设置后重试。",
            "No network: the package registry cannot be reached; check the connection, proxy or pip mirror.",
        )
    if "DO NOT MATCH THE HASHES" in said or "Hashes are required" in said:
        return Problem(
            f"下载的软件包与 {lock} 中的校验值不符，已停止安装。",
            "A downloaded package does not match its locked hash; nothing was installed.",
        )
    missing = re.search(r"No matching distribution found for ([^\s;]+)", said)
    if missing:
        return Problem(
            f"软件包仓库没有适合这台机器（Python {sys.version_info[0]}.{sys.version_info[1]}）的 {missing[1]}。",
            f"The registry has no {missing[1]} for this machine and Python; Python 3.11 to 3.13 are safe choices.",
        )
    return Problem("安装依赖失败：", "Installing packages failed: " + _last(said))


def _last(said):
    lines = [text.strip() for text in said.splitlines() if text.strip()]
    errors = [text for text in lines if text.startswith(("ERROR", "Error"))]
    return (errors or lines or ["?"])[-1]


def _link_source():
    """A .pth that points from site-packages at src, relative, so that the folder can be moved."""
    packages = place.VENV / "Lib" / "site-packages"
    if not place.WINDOWS:
        packages = next(iter(sorted((place.VENV / "lib").glob("python3*/site-packages"))), packages)
    link = packages / "xiangsui-source.pth"
    text = os.path.relpath(place.SRC, packages) + "\n"
    if not link.exists() or link.read_text() != text:
        link.write_text(text)
