"""A station of its own in a folder: a file database and a key file, driven by processes as a real one is."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_PRELUDE = "import django\ndjango.setup()\n"


@dataclass(frozen=True)
class Station:
    home: Path

    @property
    def keys(self) -> Path:
        return self.home / "keys" / "keyring.json"

    @property
    def database(self) -> Path:
        return self.home / "xiangsui.sqlite3"

    def start(self, code: str) -> subprocess.Popen[str]:
        """A process of the station that runs some code."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("XIANGSUI_")}
        environment |= {
            "XIANGSUI_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": "xiangsui.settings.testing",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
        }
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + code], env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        process = self.start(code)
        out, error = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, error)

    def did(self, code: str) -> str:
        """Runs code that must succeed; what it printed."""
        done = self.run(code)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def copy(self, folder: Path) -> Station:
        shutil.copytree(self.home, folder)
        return Station(folder)

    def content(self) -> str:
        """Every row of every table, digested: changes if anything was written."""
        with sqlite3.connect(self.database) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()

    def rows(self, sql: str, *values: object) -> list[tuple]:
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def raw(self) -> bytes:
        """Every byte the database keeps, the write-ahead log included."""
        parts = [self.database, *self.home.glob("xiangsui.sqlite3-*")]
        return b"".join(part.read_bytes() for part in parts)


RECORD = """
from support import factories
from support.people import identities
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.people.services import PersonDraft, persons_record
place = Organisation.objects.first() or factories.organisation()
people = persons_record(drafts=[PersonDraft(place, one) for one in identities({count}, seed={seed})])
"""
READ = """
from django_scopes import scopes_disabled
from xiangsui.foundation.people.models import Person
from xiangsui.foundation.people.services import identities_open
with scopes_disabled():
    everybody = list(Person.objects.order_by("recorded_at", "uuid"))
names = [identity.name for identity in identities_open(people=everybody).values()]
"""
MIGRATE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
