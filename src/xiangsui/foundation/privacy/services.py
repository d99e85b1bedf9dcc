"""Sealing and opening. Values are bytes; what they mean is the rooms' affair."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, connections, transaction

from xiangsui.foundation.kit import clock

from . import keyring as keys
from .models import DataKey, KeyCheck, LookupToken

_logger = logging.getLogger(__name__)
_NONCE = 12
_BATCH = 500


class Erased(LookupError):
    """The person's key was destroyed: what was sealed under it is gone for good."""


class Damaged(ValueError):
    """A sealed value does not open under its own key: it was changed, or belongs to another person or field."""


def keys_ensure() -> None:
    """Open the keys and check that they are this database's; make them where neither keys nor data exist yet.

    Raises:
        KeysUnusable: the database was sealed with keys that are not here. Nothing was written.
    """
    known = KeyCheck.objects.values_list("fingerprint", flat=True).first()
    sealed = set(DataKey.objects.order_by().values_list("family", "key_id").distinct())
    if known is None and not sealed and not settings.KEYRING_PATH.exists():
        # Another process may start at the same moment: the first one's keys are the site's.
        with contextlib.suppress(FileExistsError):
            keys.create(settings.KEYRING_PATH)
    ring = keys.keyring()
    if known is None and not sealed:
        KeyCheck.objects.get_or_create(fingerprint=ring.fingerprint, defaults={"made_at": clock.now()})
        return
    if known is None or not hmac.compare_digest(known, ring.fingerprint) or not _opens(ring, sealed):
        raise keys.KeysUnusable(
            f"密钥文件 {ring.path} 不属于这个数据库，请放回配套的密钥；没有写入任何内容。"
            f" The keys in {ring.path} are not those of this database. Nothing was written."
        )


def keys_ensure_before_migrating(*, using: str) -> None:
    """As `keys_ensure`, before an upgrade writes anything; a database that has no table of keys yet passes.

    Raises:
        KeysUnusable: the database was sealed with keys that are not here. Nothing was written.
    """
    if KeyCheck._meta.db_table in connections[using].introspection.table_names():
        keys_ensure()


def _opens(ring: keys.Keyring, sealed: set[tuple[str, str]]) -> bool:
    """Whether one data key of every generation opens: a file of before the last rotation would lock people out."""
    try:
        for family, key_id in sealed:
            # Only these columns: an upgrade asks before it has added others.
            row = DataKey.objects.only("family", "key_id", "wrapped").filter(family=family, key_id=key_id).first()
            if row is not None:
                _unwrap(ring, row)
    except keys.KeysUnusable:
        return False
    return True


class Vault:
    """The opened data keys of some people of one family: seals and opens their values.

    Made by `vault_new` and `vault_open`; a batch opens its keys in one query.
    """

    def __init__(self, family: str, opened: Mapping[uuid.UUID, bytes]) -> None:
        self.family = family
        self._ciphers = {subject: AESGCM(key) for subject, key in opened.items()}

    def __contains__(self, subject: uuid.UUID) -> bool:
        return subject in self._ciphers

    def seal(self, subject: uuid.UUID, field: str, value: bytes) -> bytes:
        """Encrypt a value of a person's field (AES-256-GCM; person and field are authenticated).

        Raises:
            Erased: the person has no key.
        """
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(subject).encrypt(nonce, value, _context(subject, field))

    def open(self, subject: uuid.UUID, field: str, sealed: bytes) -> bytes:
        """Decrypt a value that `seal` gave.

        Raises:
            Erased: the person's key was destroyed.
            Damaged: the value is not one of this person's field.
        """
        sealed = bytes(sealed)
        try:
            return self._cipher(subject).decrypt(sealed[:_NONCE], sealed[_NONCE:], _context(subject, field))
        except (InvalidTag, ValueError) as error:
            raise Damaged(f"the {field} of {subject} does not open under its key") from error

    def _cipher(self, subject: uuid.UUID) -> AESGCM:
        try:
            return self._ciphers[subject]
        except KeyError as error:
            raise Erased(str(subject)) from error


def vault_new(*, family: str, subjects: Iterable[uuid.UUID]) -> Vault:
    """Make a data key for each of some new people and store it, wrapped, within the caller's transaction."""
    ring = keys.keyring()
    key_id = ring.current[family]
    wrapper = AESGCM(ring.wrapping[family][key_id])
    opened: dict[uuid.UUID, bytes] = {}
    rows = []
    for subject in subjects:
        opened[subject] = AESGCM.generate_key(256)
        rows.append(
            DataKey(subject=subject, family=family, key_id=key_id, wrapped=_wrap(wrapper, subject, opened[subject]))
        )
    DataKey.objects.bulk_create(rows, batch_size=_BATCH)
    return Vault(family, opened)


def vault_open(*, family: str, subjects: Sequence[uuid.UUID]) -> Vault:
    """Open the data keys of some people; those who were erased are not in it."""
    ring = keys.keyring()
    opened = {}
    for start in range(0, len(subjects), _BATCH):
        for row in DataKey.objects.filter(pk__in=subjects[start : start + _BATCH], family=family):
            opened[row.subject] = _unwrap(ring, row)
    return Vault(family, opened)


def _wrap(wrapper: AESGCM, subject: uuid.UUID, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + wrapper.encrypt(nonce, key, subject.bytes)


def _unwrap(ring: keys.Keyring, row: DataKey) -> bytes:
    wrapped = bytes(row.wrapped)
    try:
        key = ring.wrapping[row.family][row.key_id]
        return AESGCM(key).decrypt(wrapped[:_NONCE], wrapped[_NONCE:], row.subject.bytes)
    except (KeyError, InvalidTag) as error:
        raise keys.KeysUnusable(f"the data key of {row.subject} does not open under the site's keys") from error


def _context(subject: uuid.UUID, field: str) -> bytes:
    return subject.bytes + field.encode()


def digest(*, family: str, kind: str, value: str) -> str:
    """The token of a value: HMAC-SHA-256 under the family's look-up key, cut to 128 bits, hexadecimal."""
    return _digest(hmac.new(keys.keyring().lookup[family], digestmod=hashlib.sha256), kind, value)


def _digest(keyed: hmac.HMAC, kind: str, value: str) -> str:
    keyed = keyed.copy()
    keyed.update(f"{kind}\0{value}".encode())
    return keyed.hexdigest()[:32]


def tokens_put(*, family: str, tokens: Mapping[uuid.UUID, Iterable[tuple[str, str]]], new: bool = False) -> None:
    """Replace the tokens of some people: subject → (kind, normalised value) pairs. Part of the caller's transaction.

    Args:
        new: the people have no tokens yet.
    """
    subjects = list(tokens)
    keyed = hmac.new(keys.keyring().lookup[family], digestmod=hashlib.sha256)
    rows = [
        (subject, family, kind, found)
        for subject, pairs in tokens.items()
        for kind, found in sorted({(kind, _digest(keyed, kind, value)) for kind, value in pairs})
    ]
    with transaction.atomic():
        if not new:
            for start in range(0, len(subjects), _BATCH):
                LookupToken.objects.filter(family=family, subject__in=subjects[start : start + _BATCH]).delete()
        _insert_tokens(rows)


def _insert_tokens(rows: list[tuple[uuid.UUID, str, str, str]]) -> None:
    """Six tokens a person: plain tuples take half the time of model instances (measured on 100,000 people)."""
    adapt = LookupToken._meta.get_field("subject").get_db_prep_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {LookupToken._meta.db_table} (subject, family, kind, digest) VALUES (%s, %s, %s, %s)",  # noqa: S608
            [(adapt(subject, connection), *rest) for subject, *rest in rows],
        )


def erase(*, subjects: Sequence[uuid.UUID]) -> None:
    """Destroy the keys and tokens of some people: what was sealed can never be opened again.

    On SQLite the deleted bytes are overwritten in the file (`secure_delete`) and, after the commit, the write-ahead
    log that still shows them is emptied. On PostgreSQL they stay in its files until `VACUUM privacy_datakey`, which
    autovacuum runs. A copy made before, of the database or of PostgreSQL's log, still holds the wrapped key: there the
    erasure is final once the site's keys were rotated and the old ones, with their copies, are gone.
    """
    with transaction.atomic():
        if connection.vendor == "sqlite":
            # The erasure stands even where emptying the log fails.
            transaction.on_commit(_log_emptied, robust=True)
        for start in range(0, len(subjects), _BATCH):
            DataKey.objects.filter(pk__in=subjects[start : start + _BATCH]).delete()
            LookupToken.objects.filter(subject__in=subjects[start : start + _BATCH]).delete()


def _log_emptied() -> None:
    """Write SQLite's write-ahead log into the file and cut it; waits some seconds for readers, then says so."""
    with connection.cursor() as cursor:
        [usual] = cursor.execute("PRAGMA busy_timeout").fetchone()
        try:
            # Writers wait meanwhile: shorter than they would bear.
            cursor.execute("PRAGMA busy_timeout=5000")
            busy, *_pages = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={usual:d}")
    if busy:
        _logger.warning("an erased key stays in the write-ahead log until a checkpoint finds nobody reading")


def keys_rotate(*, chunk: int = 250) -> int:
    """Make new wrapping keys and wrap every data key under them; returns how many were wrapped anew.

    Bears being stopped at any moment: both generations of keys stay in the file, and a second run goes on where the
    first one ended. The old keys are dropped by `keys_drop_old`, later, when no transaction that used them can be
    under way any more.
    """
    ring = keys.keyring()
    behind = [DataKey.objects.filter(family=family).exclude(key_id=ring.current[family]) for family in keys.FAMILIES]
    if not any(rows.exists() for rows in behind):
        ring = keys.add_wrapping_keys(ring.path)
    moved = 0
    for family in keys.FAMILIES:
        key_id = ring.current[family]
        wrapper = AESGCM(ring.wrapping[family][key_id])
        while rows := list(DataKey.objects.filter(family=family).exclude(key_id=key_id)[:chunk]):
            with transaction.atomic():
                for row in rows:
                    # Only if it still is as it was read: erased meanwhile, it stays erased.
                    moved += DataKey.objects.filter(pk=row.pk, key_id=row.key_id).update(
                        wrapped=_wrap(wrapper, row.subject, _unwrap(ring, row)), key_id=key_id
                    )
    return moved


def keys_drop_old() -> None:
    """Remove the wrapping keys that nothing is wrapped under any more.

    Raises:
        KeysUnusable: something still is; rotate first.
    """
    ring = keys.keyring()
    for family in keys.FAMILIES:
        if DataKey.objects.filter(family=family).exclude(key_id=ring.current[family]).exists():
            raise keys.KeysUnusable(
                "还有资料由旧密钥保护，请先运行 rotate_keys。Some people are still sealed under old keys: rotate first."
            )
    keys.drop_old_keys(ring.path)
