"""A PostgreSQL of the tests' own: made in a temporary folder, on a Unix socket only, gone afterwards."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from . import place
from .say import Problem

# A throw-away database has nothing to lose in a power cut.
FAST = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "128MB",
}


def binaries():
    """The folder of initdb and pg_ctl, or None. Debian keeps them off the PATH."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextlib.contextmanager
def server():
    """Yields the address of an empty server, whose user may make databases."""
    programs = binaries()
    if programs is None:
        raise Problem("没有找到 PostgreSQL。", "PostgreSQL was not found.")
    # Root's own temporary folder may be closed to the server's user; a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="xs-pg-", dir="/tmp" if os.geteuid() == 0 else None))
    as_user = []
    try:
        if os.geteuid() == 0:  # the server refuses to run as root
            user = _other_user()
            as_user = _changing_to(user)
            shutil.chown(folder, user)
        folder.chmod(0o755)
        data, socket = folder / "data", folder / "s"
        _do(as_user, folder, "mkdir", str(socket))
        _do(as_user, folder, str(programs / "initdb"), "-D", str(data), "-U", "xiangsui", "-A", "trust",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in FAST.items())
        start = (str(programs / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w", "-t", "60",
                 "-o", f"{options} -k {socket}", "start")  # fmt: skip
        _do(as_user, folder, *start)
        try:
            yield f"postgres://xiangsui@/xiangsui?host={quote(str(socket), safe='/')}"
        finally:
            _do(as_user, folder, str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user():
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise Problem("PostgreSQL 不能以 root 运行。", "PostgreSQL refuses to run as root, and no other user is here.")


def _changing_to(user):
    if shutil.which("runuser"):
        return ["runuser", "-u", user, "--"]
    if shutil.which("setpriv"):
        return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    raise Problem("需要 runuser 才能以其他用户启动 PostgreSQL。", "runuser is needed to start PostgreSQL as root.")


def _do(as_user, folder, *command):
    # Output goes to a file: the server would keep a pipe open after pg_ctl has ended.
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            [*as_user, *command], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env=place.surroundings(LC_ALL="C.UTF-8"),
        )  # fmt: skip
        if done.returncode:
            out.seek(0)
            said = out.read().decode("utf-8", "replace").strip()
            raise Problem("PostgreSQL 启动失败：", f"PostgreSQL failed to start: {said[-600:]}")
