"""`dev` before anything is installed: the wrong Python, its own help, the two locks."""

import ast
import re
import subprocess
import sys

from .conftest import ROOT, one_sentence


def test_an_old_python_can_read_dev():
    ast.parse((ROOT / "dev").read_text(encoding="utf-8"), feature_version=(3, 4))


def test_a_wrong_python_is_told_in_one_sentence(house):
    done = house.dev("run", before="sys.version_info = (3, 9, 18, 'final', 0)")
    assert one_sentence(done, "3.11", "3.9")
    assert done.returncode == 2


def test_help_names_every_command():
    done = subprocess.run([sys.executable, str(ROOT / "dev"), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for command in ("run", "test", "lint", "bench", "hla", "manage", "lock", "messages", "frontend"):
        assert f"dev {command}" in done.stdout


def test_an_unknown_command_is_refused(house):
    assert house.dev("fly").returncode == 2


def _versions(name):
    text = (ROOT / name).read_text()
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+==\S+(?: ; [^\\\n]*)?) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text))


def test_the_dev_lock_holds_all_of_the_other():
    small, large = _versions("requirements.lock"), _versions("requirements-dev.lock")
    assert len(small) > 20
    assert set(small) <= set(large)


def test_locks_have_hashes_and_no_addresses():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "index-url" not in text
        assert len(_versions(name)) == len(re.findall(r"(?m)^[A-Za-z0-9]", text))
