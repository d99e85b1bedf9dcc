"""`dev test`: what it runs, and the sum on its last line. Also what every test stands on."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from devkit import chores, cli, place, postgres, testing
from devkit.say import Problem

from .conftest import ROOT, alive, until

SUITE = """
import pytest

def test_good(): pass

def test_bad(): assert WRONG is None

@pytest.mark.skip
def test_later(): pass
"""


@pytest.fixture
def small_suite(tmp_path):
    """The real `dev` and the real .venv over a suite of three tests."""
    house = tmp_path / "house"
    (house / "tests" / "engine").mkdir(parents=True)
    (house / "src").mkdir()
    for name in ("dev", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, house)
    shutil.copytree(ROOT / "tools", house / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    if not (ROOT / ".venv" / "stamp.json").exists():
        pytest.skip("没有 .venv: not started by `dev test`")
    (house / ".venv").symlink_to(ROOT / ".venv")

    def run(text, *arguments):
        (house / "tests" / "engine" / "test_one.py").write_text(text)
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "XIANGSUI_"))}
        command = [sys.executable, str(house / "dev"), "test", *arguments]
        pipe = subprocess.PIPE
        run.process = subprocess.Popen(command, cwd=house, env=env, stdout=pipe, stderr=pipe, text=True)
        out, error = run.process.communicate(timeout=120)
        return subprocess.CompletedProcess(command, run.process.returncode, out, error)

    return run


def test_the_last_line_is_the_sum(small_suite):
    done = small_suite(SUITE.replace("WRONG", "1"), "engine")
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"
    assert done.returncode == 1
    done = small_suite(SUITE.replace("WRONG", "None"), "engine")
    assert done.stdout.splitlines()[-1] == "2 passed, 0 failed, 1 skipped"
    assert done.returncode == 0


def test_a_suite_that_cannot_be_read_has_failed(small_suite):
    done = small_suite("import nothing_of_this_name", "engine")
    assert re.fullmatch(r"0 passed, [1-9]\d* failed, 0 skipped", done.stdout.splitlines()[-1])
    assert done.returncode == 1


def test_options_of_pytest_are_handed_on(small_suite):
    done = small_suite(SUITE, "engine", "--", "-k", "good")
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


def test_a_stopped_run_leaves_nothing_behind(small_suite, tmp_path):
    slow = f"""
import os, pathlib, time
def test_slow():
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
    time.sleep(60)
"""
    stopper = threading.Thread(target=_stop_once_written, args=(tmp_path / "pid", small_suite))
    stopper.start()
    done = small_suite(slow, "engine")
    stopper.join()
    assert done.returncode == 130
    until(lambda: not alive(int((tmp_path / "pid").read_text())))


def _stop_once_written(path, small_suite):
    until(path.exists)
    small_suite.process.terminate()


def test_rooms_are_found_by_name_and_by_path():
    assert testing.chosen(["dev"]) == [ROOT / "tests" / "dev"]
    assert testing.chosen(["testing"]) == [ROOT / "tests" / "dev" / "test_testing.py"]
    with pytest.raises(Problem, match="nowhere"):
        testing.chosen(["nowhere"])


def test_a_part_that_cannot_run_fails_in_ci_and_is_told_elsewhere(monkeypatch, capsys):
    monkeypatch.delenv("CI", raising=False)
    part = testing.pytest_part("browser", None, "no browser", {})
    assert (part.failed, part.skipped) == (0, 1)
    monkeypatch.setenv("CI", "true")
    assert testing.pytest_part("browser", None, "no browser", {}).failed == 1
    assert "no browser" in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users here")
@pytest.mark.parametrize(("user", "installs"), [(0, True), (1000, False)], ids=["root", "anybody else"])
def test_missing_programs_are_installed_by_root_only(tmp_path, monkeypatch, user, installs):
    (tmp_path / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n')
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(postgres, "binaries", lambda: None)
    testing.fetch_programs(cli.parser().parse_args(["test", "--no-browser"]))
    calls = tmp_path / "calls"
    said = calls.read_text().splitlines() if calls.exists() else []
    assert said == (["update", "install -y --no-install-recommends postgresql"] if installs else [])


def test_the_tests_own_postgresql():
    if postgres.binaries() is None:
        pytest.skip("没有 PostgreSQL: PostgreSQL is not installed")
    psycopg = pytest.importorskip("psycopg")
    with postgres.server() as address:
        folder = re.search(r"host=(.*)/s$", address)[1]
        maintenance = f"dbname=postgres user=xiangsui host={folder}/s"
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute("CREATE DATABASE xiangsui")
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)


@pytest.mark.skipif(shutil.which("git") is None, reason="没有 git: git is not installed")
# Put together here, so that this file does not hold what is looked for.
@pytest.mark.parametrize(
    "text",
    ["https://" + "py" + "pi.org/simple", "registry." + "npmjs.org", "/ro" + "ot/x", "/ho" + "me/li/x"],
)
def test_an_address_in_a_committed_file_is_found(tmp_path, monkeypatch, text):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "notes.md").write_text("one\n" + text)
    monkeypatch.setattr(place, "ROOT", tmp_path)
    assert "notes.md:2" in chores._committed()
    (tmp_path / "notes.md").write_text("one\n/homes/x root/ xpython.org")
    assert chores._committed() == ""


def test_a_test_cannot_reach_the_network(no_network):
    with socket.socket() as outside, pytest.raises(OSError, match="only this machine"):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(OSError, match="only this machine"):
        socket.create_connection(("example.org", 80))
    assert no_network == ["192.0.2.1", "example.org"]
    no_network.clear()
