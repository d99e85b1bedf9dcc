"""What is sealed opens for its own person and field only, and for nobody once the key is gone."""

import json
import uuid

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from xiangsui.foundation.privacy import keyring, selectors, services
from xiangsui.foundation.privacy.models import DataKey, LookupToken
from xiangsui.foundation.privacy.services import Damaged, Erased

pytestmark = pytest.mark.django_db

A, B = uuid.UUID(int=7), uuid.UUID(int=8)


@pytest.fixture
def vault():
    return services.vault_new(family="person", subjects=[A, B])


def test_a_value_comes_back_through_the_stored_key(vault):
    sealed = vault.seal(A, "name", "张青松".encode())
    again = services.vault_open(family="person", subjects=[A, B])
    assert again.open(A, "name", sealed).decode() == "张青松"
    assert "张青松".encode() not in sealed


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_in_any_field_come_back(value, field):
    vault = services.Vault("person", {A: b"k" * 32})
    assert vault.open(A, field, vault.seal(A, field, value)) == value


def test_the_same_value_is_never_sealed_alike(vault):
    sealed = {vault.seal(A, "name", b"x") for _time in range(200)}
    assert len(sealed) == 200
    assert len({value[:12] for value in sealed}) == 200  # a nonce used twice would tell the key away


def test_another_person_or_field_does_not_open_it(vault):
    sealed = vault.seal(A, "name", b"x")
    with pytest.raises(Damaged):
        vault.open(B, "name", sealed)
    with pytest.raises(Damaged):
        vault.open(A, "phone", sealed)


def test_a_value_is_bound_to_person_and_field_even_under_one_key():
    """Two people with the same key would be a mistake; the bytes still say whose they are."""
    vault = services.Vault("person", {A: b"k" * 32, B: b"k" * 32})
    with pytest.raises(Damaged):
        vault.open(B, "name", vault.seal(A, "name", b"x"))


def test_every_changed_byte_is_refused(vault):
    sealed = vault.seal(A, "name", "张青松，13800000000".encode())
    for place in range(len(sealed)):
        for bit in (1, 0x80):
            changed = bytearray(sealed)
            changed[place] ^= bit
            with pytest.raises(Damaged):
                vault.open(A, "name", bytes(changed))


def test_every_cut_is_refused(vault):
    sealed = vault.seal(A, "name", b"x" * 20)
    for length in range(len(sealed)):
        with pytest.raises(Damaged):
            vault.open(A, "name", sealed[:length])
    with pytest.raises(Damaged):
        vault.open(A, "name", sealed + b"\0")


def test_an_erased_person_is_erased(vault):
    sealed = vault.seal(A, "name", b"x")
    services.erase(subjects=[A])
    later = services.vault_open(family="person", subjects=[A, B])
    assert A not in later
    assert B in later
    with pytest.raises(Erased):
        later.open(A, "name", sealed)
    with pytest.raises(Erased):
        later.seal(A, "name", b"x")


def test_the_families_do_not_open_each_other(vault):
    sealed = vault.seal(A, "name", b"x")
    other = services.vault_open(family="patient", subjects=[A])
    assert A not in other
    with pytest.raises(Erased):
        other.open(A, "name", sealed)


def test_a_wrapped_key_put_on_another_person_is_refused(vault):
    """Somebody with a database password copies a key he knows over another's."""
    DataKey.objects.filter(pk=A).update(wrapped=DataKey.objects.get(pk=B).wrapped)
    with pytest.raises(keyring.KeysUnusable):
        services.vault_open(family="person", subjects=[A])


def test_a_wrapped_key_holds_no_key_in_the_clear():
    vault = services.vault_new(family="person", subjects=[A])
    ring = keyring.keyring()
    row = DataKey.objects.get(pk=A)
    opened = services._unwrap(ring, row)
    assert len(opened) == 32
    assert opened not in bytes(row.wrapped)
    assert vault.open(A, "f", services.Vault("person", {A: opened}).seal(A, "f", b"x")) == b"x"
    assert all(key not in bytes(row.wrapped) for key in ring.wrapping["person"].values())


def test_a_batch_opens_in_one_query(vault, django_assert_num_queries):
    people = [uuid.uuid4() for _number in range(400)]
    services.vault_new(family="person", subjects=people)
    with django_assert_num_queries(1):
        assert all(one in services.vault_open(family="person", subjects=people) for one in people[:1])


def test_a_batch_above_the_limit_of_parameters_opens(vault):
    people = [uuid.uuid4() for _number in range(1_203)]
    services.vault_new(family="person", subjects=people)
    opened = services.vault_open(family="person", subjects=people)
    assert all(one in opened for one in people)


# ---------------------------------------------------------------- tokens


def found(kind, value, family="person"):
    return {row["subject"] for row in selectors.subjects_by_token(family=family, kind=kind, value=value)}


def test_tokens_find_exactly_and_never_by_a_part():
    services.tokens_put(
        family="person", tokens={A: [("name", "张青松"), ("phone", "19900000001")], B: [("name", "张青")]}
    )
    assert found("name", "张青松") == {A}
    assert found("name", "张青") == {B}
    assert found("name", "张") == found("name", "青松") == found("phone", "1990000000") == found("phone", "") == set()
    assert found("phone", "张青松") == set()  # kinds are apart
    assert found("name", "张青松", "patient") == set()  # families too


def test_tokens_are_replaced_as_a_whole():
    services.tokens_put(family="person", tokens={A: [("name", "x"), ("phone", "1")], B: [("phone", "1")]})
    services.tokens_put(family="person", tokens={A: [("name", "y")]})
    assert found("name", "x") == set()
    assert found("name", "y") == {A}
    assert found("phone", "1") == {B}


def test_a_token_given_twice_is_kept_once():
    services.tokens_put(family="person", tokens={A: [("phone", "1"), ("phone", "1")]})
    assert LookupToken.objects.count() == 1


def test_erasing_takes_the_tokens_along(vault):
    services.tokens_put(family="person", tokens={A: [("name", "x")], B: [("name", "x")]})
    services.erase(subjects=[A])
    assert found("name", "x") == {B}
    assert not LookupToken.objects.filter(subject=A).exists()


def test_tokens_are_keyed(settings, tmp_path):
    """Who knows the method and every name, but not this site's key, learns nothing: other keys, other digests."""
    values = [("name", "张青松"), ("phone4", "0001"), ("id", "resident:x")]
    here = [services.digest(family="person", kind=kind, value=value) for kind, value in values]
    assert here == [services.digest(family="person", kind=kind, value=value) for kind, value in values]
    patients = [services.digest(family="patient", kind=kind, value=value) for kind, value in values]
    settings.KEYRING_PATH = tmp_path / "keyring.json"
    keyring.create(settings.KEYRING_PATH)
    there = [services.digest(family="person", kind=kind, value=value) for kind, value in values]
    assert not set(here) & set(there)
    assert not set(here) & set(patients)
    import hashlib

    plain = {hashlib.sha256(f"{kind}\0{value}".encode()).hexdigest()[:32] for kind, value in values}
    assert not plain & {*here, *there, *patients}


def test_kind_and_value_cannot_be_pushed_together():
    assert services.digest(family="person", kind="a", value="bc") != services.digest(
        family="person", kind="ab", value="c"
    )


# ---------------------------------------------------------------- the key file


def test_the_key_file_is_the_owners_alone(tmp_path):
    path = tmp_path / "deep" / "keyring.json"
    keyring.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert not list(path.parent.glob("*.new"))


def test_keys_are_never_made_over_others(tmp_path):
    path = tmp_path / "keyring.json"
    keyring.create(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        keyring.create(path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.new"))


def test_two_sites_share_no_key(tmp_path):
    rings = [keyring.create(tmp_path / f"{number}.json") for number in range(3)]
    every = [
        key
        for ring in rings
        for key in (*ring.lookup.values(), *(k for f in ring.wrapping.values() for k in f.values()))
    ]
    assert len(set(every)) == len(every) == 12


def test_a_keyring_does_not_show_its_keys():
    ring = keyring.keyring()
    assert ring.fingerprint not in {key.hex() for key in ring.lookup.values()}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[:-3],
        lambda text: "{}",
        lambda text: "[]",
        lambda text: "null",
        lambda text: text.replace('"lookup"', '"look"'),
        lambda text: text.replace('"patient"', '"patients"'),
        lambda text: text.replace('"current"', '"currant"'),
        lambda text: json.dumps({**json.loads(text), "current": {"person": "9", "patient": "1"}}),
        lambda text: json.dumps({**json.loads(text), "lookup": {"person": "AAAA", "patient": "AAAA"}}),
        lambda text: json.dumps({**json.loads(text), "lookup": {"person": 5, "patient": 5}}),
        lambda text: json.dumps({**json.loads(text), "wrapping": {"person": [], "patient": []}}),
        lambda text: "é" + text,
        lambda text: "\0" * len(text),
    ],
)
def test_a_damaged_key_file_is_refused_with_words(settings, tmp_path, damage):
    settings.KEYRING_PATH = tmp_path / "keyring.json"
    keyring.create(settings.KEYRING_PATH)
    damaged = damage(settings.KEYRING_PATH.read_text())
    settings.KEYRING_PATH.write_text(damaged, encoding="utf-8")
    with pytest.raises(keyring.KeysUnusable, match="损坏"):
        services.vault_new(family="person", subjects=[A])
    assert settings.KEYRING_PATH.read_text(encoding="utf-8") == damaged
    assert not DataKey.objects.exists()


def test_every_changed_byte_of_the_key_file_is_noticed(tmp_path):
    """No key may silently become another one: what is read is what was written, or is refused."""
    path = tmp_path / "keyring.json"
    ring = keyring.create(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 2, 0x20):
            changed = bytearray(whole)
            changed[place] ^= bit
            path.write_bytes(changed)
            try:
                assert keyring._read(path) == ring
            except keyring.KeysUnusable:
                continue


def test_missing_keys_are_refused_with_words(settings, tmp_path):
    settings.KEYRING_PATH = tmp_path / "keyring.json"
    with pytest.raises(keyring.KeysUnusable, match="找不到"):
        services.vault_new(family="person", subjects=[A])
    with pytest.raises(keyring.KeysUnusable, match="找不到"):
        services.keys_ensure()  # this database was sealed with keys already
    assert not settings.KEYRING_PATH.exists()
    assert not DataKey.objects.exists()


def test_no_key_stands_in_the_database(vault):
    ring = keyring.keyring()
    secrets = [*ring.lookup.values(), *(key for family in ring.wrapping.values() for key in family.values())]
    with connection.cursor() as cursor:
        for table in ("privacy_datakey", "privacy_keycheck", "privacy_lookuptoken"):
            cursor.execute(f"SELECT * FROM {table}")
            for row in cursor.fetchall():
                for value in row:
                    raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    assert not any(secret in raw or secret.hex().encode() in raw for secret in secrets)
