"""SQLite beside the site by default; PostgreSQL by `XIANGSUI_DATABASE_URL=postgres://user:password@host/name`."""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from .paths import HOME


def sqlite(path: str) -> dict[str, Any]:
    """A SQLite database that writers queue for instead of failing, and that survives a power cut.

    IMMEDIATE takes the write lock at the start of a transaction, so that two writers wait for each other rather
    than meet at the upgrade of a read lock, which SQLite answers with an error that no time-out helps against.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                # What is deleted is overwritten: an erased person's key must not stay in a page of the file.
                "PRAGMA secure_delete=ON; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
            ),
        },
    }


def from_url(url: str) -> dict[str, Any]:
    """Django's settings for a `postgres://` or `sqlite:///` address.

    Raises:
        ImproperlyConfigured: any other scheme.
    """
    parts = urlsplit(url)
    if parts.scheme in {"sqlite", "sqlite3"}:
        return sqlite(unquote(parts.path))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"XIANGSUI_DATABASE_URL: {parts.scheme!r} is not understood; use postgres://user:password@host/name"
        )
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


_url = os.environ.get("XIANGSUI_DATABASE_URL", "")
DATABASES = {"default": from_url(_url) if _url else sqlite(str(HOME / "xiangsui.sqlite3"))}
