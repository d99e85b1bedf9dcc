"""The site's keys: one small file, kept apart from the database and never in a backup of it.

`wrapping` keys wrap the data key of each person, one family for donors' people and one for patients; the newest is
used, older ones still open what they wrapped. `lookup` keys make the tokens by which a person is found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

FAMILIES = ("person", "patient")


class KeysUnusable(ImproperlyConfigured):
    """The key file is missing, damaged, or belongs to another database. Nothing was read or written."""


@dataclass(frozen=True)
class Keyring:
    """The opened key file: family → key id → 32 bytes; the id that is used for new wraps; the look-up key."""

    wrapping: dict[str, dict[str, bytes]]
    current: dict[str, str]
    lookup: dict[str, bytes]
    path: Path = field(repr=False, compare=False, default=Path())

    @property
    def fingerprint(self) -> str:
        """Says which keys these are without telling them: the database remembers it."""
        text = b"".join(self.lookup[family] for family in FAMILIES)
        return hashlib.sha256(b"xiangsui keyring" + text).hexdigest()


_opened: Keyring | None = None
_seen: tuple[Path, int, int, int] | None = None
_lock = threading.Lock()


def keyring() -> Keyring:
    """The site's keys; the file is read again when it was replaced, so that a rotation reaches every process at once.

    Raises:
        KeysUnusable: the file is missing or damaged.
    """
    global _opened, _seen
    path = settings.KEYRING_PATH
    try:
        status = path.stat()
    except OSError:
        return _read(path)  # which words it
    version = (path, status.st_mtime_ns, status.st_size, status.st_ino)
    with _lock:
        if _opened is None or version != _seen:
            _opened, _seen = _read(path), version
        return _opened


def create(path: Path) -> Keyring:
    """Make a new key file; it must not exist yet.

    Raises:
        FileExistsError: it does.
    """
    ring = {
        "wrapping": {family: {"1": _text(secrets.token_bytes(32))} for family in FAMILIES},
        "current": dict.fromkeys(FAMILIES, "1"),
        "lookup": {family: _text(secrets.token_bytes(32)) for family in FAMILIES},
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        raise FileExistsError(path)
    _write(path, ring, replace=False)
    return _read(path)


def add_wrapping_keys(path: Path) -> Keyring:
    """Add a new wrapping key to each family and make it the current one; the old ones stay until `drop_old_keys`."""
    ring = json.loads(path.read_text(encoding="ascii"))
    for family in FAMILIES:
        number = str(max(map(int, ring["wrapping"][family])) + 1)
        ring["wrapping"][family][number] = _text(secrets.token_bytes(32))
        ring["current"][family] = number
    _write(path, ring, replace=True)
    return _read(path)


def drop_old_keys(path: Path) -> Keyring:
    """Remove every wrapping key but the current ones; `services.keys_drop_old` makes sure that nothing needs them."""
    ring = json.loads(path.read_text(encoding="ascii"))
    for family in FAMILIES:
        current = ring["current"][family]
        ring["wrapping"][family] = {current: ring["wrapping"][family][current]}
    _write(path, ring, replace=True)
    return _read(path)


def _checksum(ring: dict[str, object]) -> str:
    content = {name: ring[name] for name in ("wrapping", "current", "lookup")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _write(path: Path, ring: dict[str, object], *, replace: bool) -> None:
    ring = {**ring, "checksum": _checksum(ring)}
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        json.dump(ring, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    if replace:
        draft.replace(path)
    else:
        try:
            # A link loses the race instead of overwriting keys somebody may already have sealed with.
            os.link(draft, path)
        finally:
            draft.unlink()
    _names_kept(path.parent)


def _names_kept(folder: Path) -> None:
    """Bring the folder itself to the disk: a power cut must not show the old file beside data sealed with the new."""
    if os.name == "nt":
        return  # a folder cannot be opened there, and its journal keeps the order of renames
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> Keyring:
    try:
        ring = json.loads(path.read_text(encoding="ascii"))
        if ring["checksum"] != _checksum(ring):
            raise ValueError
        opened = Keyring(
            wrapping={f: {k: base64.b64decode(v) for k, v in ring["wrapping"][f].items()} for f in FAMILIES},
            current={f: ring["current"][f] for f in FAMILIES},
            lookup={f: base64.b64decode(ring["lookup"][f]) for f in FAMILIES},
            path=path,
        )
        keys = [key for family in opened.wrapping.values() for key in family.values()] + list(opened.lookup.values())
        if any(len(key) != 32 for key in keys) or any(opened.current[f] not in opened.wrapping[f] for f in FAMILIES):
            raise ValueError
    except FileNotFoundError as error:
        raise KeysUnusable(
            f"找不到密钥文件 {path}。请放回与此数据库配套的密钥后再启动；没有写入任何内容。"
            f" The key file {path} is missing: put back the one that belongs to this database. Nothing was written."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnusable(
            f"密钥文件 {path} 已损坏，请从备份中恢复；没有写入任何内容。"
            f" The key file {path} is damaged: restore it from its backup. Nothing was written."
        ) from error
    return opened
