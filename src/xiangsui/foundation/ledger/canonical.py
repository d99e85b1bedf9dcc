"""The bytes that are hashed: the same on every database, machine and Python."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import uuid
from decimal import Decimal
from typing import Any

#: What stands before the first event of a chain.
GENESIS = "0" * 64

# Codes, not words: what a person might type cannot pass (decision 002).
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


def moment(at: dt.datetime) -> str:
    """An aware moment as UTC text with microseconds.

    Raises:
        ValueError: the moment is naive.
    """
    if at.tzinfo is None:
        raise ValueError("the ledger takes aware moments only")
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def detail(key: str, value: Any) -> Any:
    """One detail as it is stored: code, whole number, boolean, date, moment, UUID or decimal (as text), or null.

    Raises:
        ValueError: anything else, free text above all.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not a name for a detail")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.date | uuid.UUID | Decimal):
        return str(value)
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    raise ValueError(f"the detail {key!r} must be a code, a number, a date or a UUID: the ledger holds no words")


def text(value: Any) -> str:
    """Canonical JSON: sorted keys, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(previous: str, body: str) -> str:
    """The link of a chain: SHA-256 over the previous link and this body, hexadecimal."""
    return hashlib.sha256(f"{previous}{body}".encode("ascii")).hexdigest()
