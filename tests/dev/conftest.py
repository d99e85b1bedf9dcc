"""A small house with the real `dev` and stand-ins for everything that it starts."""

import base64
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

PLATFORM = """
import json, os, pathlib, sys, time
home = pathlib.Path(os.environ["XIANGSUI_HOME"])
command, rest = sys.argv[1], sys.argv[2:]
with (home / f"{command}.calls").open("a") as calls:
    calls.write(f"{os.getpid()} {os.environ['DJANGO_SETTINGS_MODULE']}\\n")
if command == os.environ.get("STUB_FAILS"):
    sys.exit("SomeError: it fell over")
if command == "migrate":
    (home / "xiangsui.sqlite3").touch()
elif command == "serve":
    from http.server import HTTPServer, SimpleHTTPRequestHandler
    address = (rest[rest.index("--host") + 1], int(rest[rest.index("--port") + 1]))
    os.chdir(home)
    HTTPServer(address, SimpleHTTPRequestHandler).serve_forever()
elif command == "worker":
    while True:
        time.sleep(1)
elif command == "demo" and "--sign-ins" in rest:
    print(json.dumps({"username": "协调员", "password": "stub", "role": "coordinator"}))
elif command == "demo":
    for done in range(3):
        print(f"progress {done + 1} 3 志愿者 donors", flush=True)
"""


def make_wheel(folder, name="xsstub", version="1.0"):
    """A wheel with one module, made by hand; returns its SHA-256."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for file, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{file},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(file, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


class House:
    def __init__(self, root, wheels):
        self.root, self.wheels = root, wheels
        self.home = root / "var"

    @classmethod
    def build(cls, root, wheels):
        root.mkdir(exist_ok=True)
        wheels.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dev", root)
        shutil.copytree(
            ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
        for package, text in {
            "xiangsui": PLATFORM,
            "hlaengine": "import xsstub; print(xsstub.version)\n",
        }.items():
            (root / "src" / package).mkdir(parents=True, exist_ok=True)
            (root / "src" / package / "__main__.py").write_text(text)
        house = cls(root, wheels)
        house.lock(make_wheel(wheels))
        return house

    def lock(self, digest, version="1.0"):
        (self.root / "requirements.lock").write_text(f"xsstub=={version} --hash=sha256:{digest}\n")

    def env(self, **extra):
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "SYSTEMROOT") if name in os.environ}
        return {
            **kept, "HOME": str(self.root), "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels), **extra,
        }  # fmt: skip

    def dev(self, *arguments, before="", stdin="", **env):
        """Runs `dev` to its end; `before` is Python that runs first, in its process."""
        start = "import sys, runpy; sys.path.insert(0, 'tools'); sys.argv = sys.argv[1:]\n" + before
        command = [
            sys.executable,
            "-c",
            start + "\nrunpy.run_path('dev', run_name='__main__')",
            "dev",
            *arguments,
        ]
        if not before:
            command = [sys.executable, str(self.root / "dev"), *arguments]
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.env(**env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def calls(self, command):
        """The process ids under which a command of the stand-in has run."""
        with contextlib.suppress(OSError):
            return [int(text.split()[0]) for text in (self.home / f"{command}.calls").read_text().splitlines()]
        return []

    @contextlib.contextmanager
    def running(self, *arguments, **env):
        port = free_port()
        out = self.root / "out.txt"
        with out.open("w") as written:
            process = subprocess.Popen(
                [sys.executable, str(self.root / "dev"), "run", "--port", str(port), *arguments],
                cwd=self.root, env=self.env(**env), stdin=subprocess.DEVNULL, stdout=written,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        process.port, process.said = port, out.read_text
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def one_sentence(done, *words):
    """It failed, said so in one line that begins with `dev:`, and shows no traceback."""
    assert done.returncode not in (0, None), done.stdout
    said = done.stderr.strip().splitlines()
    assert len(said) == 1, done.stderr
    assert said[0].startswith("dev: ")
    assert re.search("[一-鿿]", said[0])
    for word in words:
        assert word in said[0]
    return True


@pytest.fixture
def house(tmp_path):
    """Nothing installed yet."""
    return House.build(tmp_path / "house", tmp_path / "wheels")


@pytest.fixture(scope="session")
def _installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    house = House.build(folder / "house", folder / "wheels")
    done = house.dev("hla")
    assert done.returncode == 0, done.stderr
    return house


@pytest.fixture
def installed(_installed):
    """Its .venv is made; the state of a site is not there yet. Shared by the tests of one process."""
    shutil.rmtree(_installed.home, ignore_errors=True)
    return _installed


@pytest.fixture
def small_disk(tmp_path):
    """Makes a file system of its own, of so many megabytes; only root may."""
    mounted = []

    def mount(megabytes):
        place = tmp_path / "disk"
        place.mkdir()
        tried = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], capture_output=True
        ) if shutil.which("mount") else None  # fmt: skip
        if tried is None or tried.returncode:
            pytest.skip("只有 root 能挂载小磁盘: only root may mount a small disk")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=False)
