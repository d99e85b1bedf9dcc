"""The ledger finds every kind of tampering, refuses words, and holds the same bytes on both databases."""

import datetime as dt
import json
import uuid
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from xiangsui.foundation.ledger import canonical
from xiangsui.foundation.ledger.checkpoints import checkpoint_read, checkpoint_write
from xiangsui.foundation.ledger.models import ChainHead, Event
from xiangsui.foundation.ledger.services import Fact, chains_close, events_append
from xiangsui.foundation.ledger.verification import ledger_verify

pytestmark = pytest.mark.django_db

A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))
AT = dt.datetime(2026, 5, 8, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _an_empty_ledger(db):
    """Without the world's own events; the transaction of the test brings them back."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_event")
        cursor.execute("DELETE FROM ledger_chainhead")


def facts(count=6, organisation=A):
    return [
        Fact(
            "donor.enrol", organisation, uuid.UUID(int=100 + n), AT + dt.timedelta(minutes=n), details={"code": f"x{n}"}
        )
        for n in range(count)
    ]


def tamper(sql, *values):
    """Change the table behind the ledger's back, as somebody with a database password would."""
    values = [
        value.hex if isinstance(value, uuid.UUID) and connection.vendor == "sqlite" else value for value in values
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        assert cursor.rowcount


def faults(**options):
    return {(fault.chain, fault.code) for fault in ledger_verify(**options)}


def test_an_untouched_ledger_is_clean():
    events_append(facts=facts() + facts(3, B), actor=C)
    events_append(facts=facts(2), actor=None)
    assert faults() == set()
    assert ChainHead.objects.get(chain=A).sequence == 8


def test_a_chain_is_linked_from_its_first_event():
    first, second = events_append(facts=facts(2), actor=C)
    assert first.digest == canonical.digest(canonical.GENESIS, first.body)
    assert second.digest == canonical.digest(first.digest, second.body)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("UPDATE ledger_event SET kind = 'donor.retire' WHERE sequence = 3", "columns"),
        ("UPDATE ledger_event SET delta = 5 WHERE sequence = 3", "columns"),
        ("UPDATE ledger_event SET body = replace(body, 'x2', 'x9') WHERE sequence = 3", "changed"),
        ("UPDATE ledger_event SET body = 'nonsense' WHERE sequence = 3", "changed"),
        ("UPDATE ledger_event SET digest = replace(digest, substr(digest, 1, 1), 'g') WHERE sequence = 3", "changed"),
        ("DELETE FROM ledger_event WHERE sequence = 3", "missing"),
        ("DELETE FROM ledger_event WHERE sequence = 1", "missing"),
        ("DELETE FROM ledger_event WHERE sequence = 6", "head"),
        ("DELETE FROM ledger_event", "head"),
        ("DELETE FROM ledger_chainhead", "no_head"),
        ("UPDATE ledger_chainhead SET sequence = 5", "head"),
    ],
)
def test_each_kind_of_tampering_is_found(sql, code):
    events_append(facts=facts(), actor=C)
    tamper(sql)
    assert (A, code) in faults()


def test_two_events_that_changed_places_are_found():
    events_append(facts=facts(), actor=C)
    for old, new in ((2, 99), (4, 2), (99, 4)):
        tamper("UPDATE ledger_event SET sequence = %s WHERE sequence = %s", new, old)
    assert {code for _chain, code in faults()} == {"changed"}


def test_an_event_put_in_with_a_right_digest_breaks_the_rest():
    events = events_append(facts=facts(), actor=C)
    forged = json.loads(events[2].body)
    forged["kind"] = "donor.retire"
    body = canonical.text(forged)
    tamper(
        "UPDATE ledger_event SET kind = 'donor.retire', body = %s, digest = %s WHERE sequence = 3",
        body,
        canonical.digest(events[1].digest, body),
    )
    assert faults() == {(A, "changed")}  # the next link no longer fits


def test_a_tail_cut_together_with_its_head_shows_against_a_checkpoint(tmp_path):
    events = events_append(facts=facts(), actor=C)
    checkpoint = checkpoint_read(checkpoint_write(tmp_path))
    tamper("DELETE FROM ledger_event WHERE sequence > 4")
    tamper("UPDATE ledger_chainhead SET sequence = 4, digest = %s", events[3].digest)
    assert faults() == set()  # nothing to see from within
    assert faults(checkpoint=checkpoint) == {(A, "checkpoint")}


def test_a_whole_chain_rewritten_shows_against_a_checkpoint(tmp_path):
    events_append(facts=facts(), actor=C)
    checkpoint = checkpoint_read(checkpoint_write(tmp_path))
    tamper("DELETE FROM ledger_event")
    tamper("DELETE FROM ledger_chainhead")
    assert faults(checkpoint=checkpoint) == {(A, "checkpoint")}
    events_append(facts=facts(), actor=C)  # the same facts again, with other identifiers
    assert faults() == set()
    assert faults(checkpoint=checkpoint) == {(A, "checkpoint")}


def test_a_changed_checkpoint_is_refused(tmp_path):
    events_append(facts=facts(), actor=C)
    path = checkpoint_write(tmp_path)
    path.write_text(path.read_text().replace("sequence", "sequens"))
    with pytest.raises(ValueError, match="was changed"):
        checkpoint_read(path)


def test_the_command_says_what_is_wrong_and_fails(settings, tmp_path, capsys):
    settings.LEDGER_CHECKPOINT_DIR = tmp_path
    events_append(facts=facts(), actor=C)
    call_command("verify_ledger")
    assert "0 处" in capsys.readouterr().out
    tamper("UPDATE ledger_event SET delta = 5 WHERE sequence = 3")
    with pytest.raises(SystemExit):
        call_command("verify_ledger")
    assert f"{A} #3" in capsys.readouterr().out


def test_the_ledger_is_append_only():
    [event] = events_append(facts=facts(1), actor=C)
    for attempt in (
        lambda: Event.objects.all().update(delta=1),
        lambda: Event.objects.all().delete(),
        event.save,
        event.delete,
    ):
        with pytest.raises(TypeError, match=r"append-only|events_append"):
            attempt()
    assert Event.objects.count() == 1


@pytest.mark.parametrize("words", ["张三", "a note with blanks", "", "x" * 65, 1.5, ["a"], {"a": 1}, "line\nbreak"])
def test_words_are_refused(words):
    with pytest.raises(ValueError, match="must be a code"):
        events_append(facts=[Fact("donor.enrol", A, B, AT, details={"reason": words})], actor=C)
    assert not Event.objects.exists()


def test_details_keep_their_meaning():
    day, other = dt.date(2026, 5, 8), uuid.uuid4()
    given_details = {"on": day, "who": other, "share": Decimal("0.10"), "ok": True, "n": 3, "none": None, "at": AT}
    [event] = events_append(facts=[Fact("donor.enrol", A, B, AT, details=given_details)], actor=C)
    assert Event.objects.get().details == {
        "on": "2026-05-08",
        "who": str(other),
        "share": "0.10",
        "ok": True,
        "n": 3,
        "none": None,
        "at": "2026-05-08T09:30:00.000000Z",
    }
    assert event.details == Event.objects.get().details


def test_the_bytes_are_fixed():
    """Written down once: another database, another Python or another time zone must give these bytes."""
    fact = Fact(
        "donor.enrol", A, B, AT.astimezone(dt.timezone(dt.timedelta(hours=8))), details={"b": 2, "a": "x"}, uuid=C
    )
    event = Event(uuid=C, chain=A, sequence=1, kind=fact.kind, organisation=A, subject=B, occurred_at=fact.occurred_at)
    event.recorded_at = AT
    from xiangsui.foundation.ledger.services import body_of

    body = body_of(event, fact.details)
    assert body == (
        '{"actor":null,"chain":"00000000-0000-0000-0000-000000000001","corrects":null,"delta":0,'
        '"details":{"a":"x","b":2},"kind":"donor.enrol","occurred_at":"2026-05-08T09:30:00.000000Z",'
        '"organisation":"00000000-0000-0000-0000-000000000001","recorded_at":"2026-05-08T09:30:00.000000Z",'
        '"sequence":1,"subject":"00000000-0000-0000-0000-000000000002","uuid":"00000000-0000-0000-0000-000000000003"}'
    )
    assert (
        canonical.digest(canonical.GENESIS, body) == "b4af07eaf761acfc82fb0cf3e504eba77a93a3960459f8ac631a1b473010f29a"
    )


def test_a_failed_transaction_leaves_no_link():
    events_append(facts=facts(2), actor=C)
    with pytest.raises(RuntimeError), transaction.atomic():
        events_append(facts=facts(3), actor=C)
        raise RuntimeError
    events_append(facts=facts(1), actor=C)
    assert faults() == set()
    assert ChainHead.objects.get(chain=A).sequence == 3


def test_a_merged_organisation_closes_its_chain_and_opens_its_successor():
    events_append(facts=facts(2) + facts(2, B), actor=C)
    last = ChainHead.objects.get(chain=A).digest
    chains_close(chains=[A, B], successors=[C], actor=None)
    assert faults() == set()
    opened = Event.objects.filter(chain=C, kind="chain.opened")
    assert {event.subject for event in opened} == {A, B}
    closing = Event.objects.get(chain=A, kind="chain.closed")
    assert json.loads(opened.get(subject=A).body)["details"]["link"] == closing.digest
    assert closing.digest == canonical.digest(last, closing.body)
    [late] = events_append(facts=facts(1), actor=C)
    assert (late.chain, late.organisation) == (C, A), "what is recorded later goes into the heir's chain"
    assert faults() == set()


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(1, 5)), max_size=8))
def test_any_sequence_of_batches_is_clean(batches):
    with transaction.atomic():
        for organisation, count in batches:
            events_append(facts=facts(count, organisation), actor=None)
        assert faults() == set()
        totals = {chain: sum(n for o, n in batches if o == chain) for chain in (A, B, C)}
        assert {h.chain: h.sequence for h in ChainHead.objects.all()} == {c: n for c, n in totals.items() if n}
        transaction.set_rollback(True)
