"""Making .venv: what can go wrong is one sentence each, and what is there is not made twice."""

import shutil
import subprocess

import pytest

from devkit import environment
from devkit.say import Problem

from .conftest import make_wheel, one_sentence


def test_a_second_start_installs_nothing(installed):
    stamp = (installed.root / ".venv" / "stamp.json").read_text()
    done = installed.dev("hla", PIP_FIND_LINKS="/nonexistent")
    assert (done.returncode, done.stdout) == (0, "1.0\n")
    assert (installed.root / ".venv" / "stamp.json").read_text() == stamp


def test_a_changed_lock_installs_again_and_a_moved_folder_still_works(installed, tmp_path):
    house = type(installed)(tmp_path / "moved", tmp_path / "wheels")
    shutil.copytree(installed.root, house.root, symlinks=True)
    house.wheels.mkdir()
    house.lock(make_wheel(house.wheels, version="2.0"), version="2.0")
    done = house.dev("hla")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2.0"), done.stderr


def test_settings_of_the_shell_do_not_bend_it(installed, tmp_path):
    (tmp_path / "xsstub.py").write_text("version = 'foreign'")
    done = installed.dev("hla", PYTHONPATH=str(tmp_path), PYTHONHOME="", DJANGO_SETTINGS_MODULE="other.settings")
    assert done.stdout == "1.0\n"
    done = installed.dev("manage", "migrate", DJANGO_SETTINGS_MODULE="other.settings", XIANGSUI_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "xiangsui.settings.embedded" in (tmp_path / "migrate.calls").read_text()


def test_no_network(installed):
    installed_lock = (installed.root / "requirements.lock").read_text()
    try:
        installed.lock("0" * 64, version="9.9")
        done = installed.dev("hla", PIP_NO_INDEX="0", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    finally:
        (installed.root / "requirements.lock").write_text(installed_lock)
    assert one_sentence(done, "网络", "No network")


def test_a_package_that_is_not_the_locked_one(installed):
    installed_lock = (installed.root / "requirements.lock").read_text()
    try:
        make_wheel(installed.wheels, version="3.0")
        installed.lock("0" * 64, version="3.0")
        done = installed.dev("hla")
    finally:
        (installed.root / "requirements.lock").write_text(installed_lock)
    assert one_sentence(done, "校验值", "hash")


def test_no_package_for_this_machine(installed):
    installed_lock = (installed.root / "requirements.lock").read_text()
    try:
        installed.lock("0" * 64, version="8.8")
        done = installed.dev("hla")
    finally:
        (installed.root / "requirements.lock").write_text(installed_lock)
    assert one_sentence(done, "xsstub==8.8")


def test_python_without_venv(house, monkeypatch):
    find = environment.importlib.util.find_spec
    monkeypatch.setattr(
        environment.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else find(name)
    )
    with pytest.raises(Problem, match="python3-venv"):
        environment._create()


def test_too_little_space(house, small_disk):
    house.root = shutil.copytree(house.root, small_disk(8) / "house")
    assert one_sentence(house.dev("hla"), "磁盘空间不足", "Disk full")
    assert not (house.root / ".venv" / "bin").exists()


def test_the_disk_fills_while_installing(house, small_disk):
    house.root = shutil.copytree(house.root, small_disk(8) / "house")
    forget = "from devkit import environment; environment.MEGABYTES = {'requirements.lock': 0}"
    assert one_sentence(house.dev("hla", before=forget), "磁盘已满", "disk is full")


def test_a_read_only_folder(house, small_disk):
    disk = small_disk(8)
    house.root = shutil.copytree(house.root, disk / "house")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert one_sentence(house.dev("hla"), "不能写入", "Cannot write")
    assert one_sentence(house.dev("run"), "不能写入", "Cannot write")
