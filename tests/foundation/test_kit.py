"""Identifiers, numbering and the clock."""

import datetime as dt
import threading
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiangsui.foundation.kit import clock, ids, numbering


def test_uuid7_says_version_variant_and_moment():
    before = time.time_ns() // 1_000_000
    made = ids.uuid7()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after + 1


def test_uuid7_sorts_in_the_order_it_was_made():
    made = [ids.uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_uuid7_goes_on_when_the_clock_steps_back(monkeypatch):
    first = ids.uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000_000_000_000)
    assert ids.uuid7() > first


def test_uuid7_of_several_threads_are_distinct():
    made: list[uuid.UUID] = []
    threads = [threading.Thread(target=lambda: made.extend(ids.uuid7() for _ in range(2_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_the_published_grid_is_valid():
    assert numbering.grid_is_valid("6939DKM001392612726")
    assert numbering.grid_is_valid("6939 DKM0 0139 2612 726")
    assert numbering.grid_is_valid("6939-dkm0-0139-2612-726")
    assert numbering.grid_is_valid("6939 DKM0 0139 2612 7２6"), "as an input method leaves it"
    assert numbering.grid_print("6939DKM001392612726") == "6939 DKM0 0139 2612 726"


@pytest.mark.parametrize(
    "text", ["", "6939DKM001392612727", "6939DKM00139261272", "6939DKM0013926127260", "0939DKM001392612726"]
)
def test_wrong_grids_are_refused(text):
    assert not numbering.grid_is_valid(text)


@given(st.text(max_size=25))
def test_any_text_is_answered(text):
    assert numbering.grid_is_valid(text) in {True, False}


@given(st.integers(0, 18), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_is_always_seen(place, character):
    right = "6939DKM001392612726"
    wrong = right[:place] + character + right[place + 1 :]
    assert numbering.grid_is_valid(wrong) == (wrong == right)


@given(st.integers(4, 16))
def test_two_neighbours_changed_over_are_seen(place):
    right = numbering.new_grid()
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    if place + 1 < 17 and wrong != right:
        assert not numbering.grid_is_valid(wrong)


def test_new_grids_are_valid_and_say_nothing():
    made = {numbering.new_grid() for _ in range(500)}
    assert len(made) == 500
    assert all(numbering.grid_is_valid(one) and one.startswith("2197") and len(one) == 19 for one in made)


def test_the_check_character_of_a_donation_number():
    assert numbering.din_check("G123498654321") == "H"
    for wrong in ("", "G12349865432", "g123498654321", "O123498654321"):
        with pytest.raises(ValueError):
            numbering.din_check(wrong)


def test_cmdp_numbers_have_twelve_digits():
    assert numbering.cmdp_is_valid("110012345678")
    assert not numbering.cmdp_is_valid("11001234567")
    assert not numbering.cmdp_is_valid("11001234567８")


def test_today_is_the_date_in_beijing(monkeypatch):
    monkeypatch.setattr(clock.timezone, "now", lambda: dt.datetime(2026, 3, 1, 16, 0, tzinfo=dt.UTC))
    assert clock.today() == dt.date(2026, 3, 2)
    monkeypatch.setattr(clock.timezone, "now", lambda: dt.datetime(2026, 3, 1, 15, 59, tzinfo=dt.UTC))
    assert clock.today() == dt.date(2026, 3, 1)
