"""Where things are, and with which surroundings the project's own processes run."""

import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from .say import Problem

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
SRC = ROOT / "src"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
MEGABYTE = 1 << 20

# Settings of a developer's shell that would bend pip or the project's Python out of shape.
FOREIGN = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTHONWARNINGS",
    "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__",
    "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIREMENT", "PIP_DRY_RUN", "PIP_REPORT",
    "PIP_NO_BINARY", "PIP_VERBOSE", "PIP_QUIET", "PIP_LOG", "PIP_PYTHON",
)  # fmt: skip


def home():
    """The folder of a running site's state."""
    return Path(os.environ.get("XIANGSUI_HOME") or ROOT / "var").expanduser().absolute()


def surroundings(**extra):
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    if not env.get("DJANGO_SETTINGS_MODULE", "").startswith("xiangsui."):
        env["DJANGO_SETTINGS_MODULE"] = "xiangsui.settings.embedded"
    env["XIANGSUI_HOME"] = str(home())
    env["PYTHONUTF8"] = "1"
    env["PYTHONUNBUFFERED"] = "1"
    env.update(extra)
    return env


def existing(path):
    """The nearest folder at or above `path` that exists."""
    while not path.exists():
        path = path.parent
    return path


def require_writable(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        raise Problem(
            f"文件夹 {folder} 不能写入，请换到可写的位置或改变权限（XIANGSUI_HOME 可另指数据位置）。",
            f"Cannot write to this folder: {error.strerror}.",
        ) from error


def require_space(folder, megabytes):
    free = shutil.disk_usage(existing(folder)).free // MEGABYTE
    if free < megabytes:
        raise Problem(
            f"磁盘空间不足：{folder} 需要约 {megabytes} MB，只剩 {free} MB，请先腾出空间。",
            f"Disk full: about {megabytes} MB are needed there and {free} MB are free.",
        )


def disk_full(folder):
    return Problem(
        f"磁盘已满：写入 {folder} 时没有空间了，请腾出空间后重试。",
        "The disk is full: free some space and start again.",
    )


def is_full(folder, said):
    """Whether a program that wrote there failed for lack of space: it says so, or nothing is left."""
    signs = r"No space left on device|\[Errno 28\]|Disk quota exceeded|database or disk is full"
    return bool(re.search(signs, said)) or shutil.disk_usage(existing(folder)).free < MEGABYTE
