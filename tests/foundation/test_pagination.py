"""Keyset pages against a brute force, and cursors nobody made."""

import base64
import itertools
import json
import uuid

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support import factories
from xiangsui.foundation.jobs.models import Job
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.pagination import COUNT_LIMIT, MAX_PAGE, keyset_page, total_text

pytestmark = pytest.mark.django_db
together = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class _Undo(Exception):
    pass


def walk(order, size, forward=True):
    """All pages from the first on, and the way back from the last."""
    pages, cursor = [], None
    for _ in range(100):
        page = keyset_page(Job.objects.all(), order=order, cursor=cursor, size=size)
        pages.append(page)
        cursor = page.next
        if cursor is None:
            break
    return pages


@together
@given(values=st.lists(st.integers(0, 4), max_size=23), size=st.integers(1, 7), down=st.booleans())
def test_pages_are_the_sorted_rows_cut_up(db, values, size, down):
    try:
        with transaction.atomic():
            Job.objects.all().delete()
            for value in values:
                factories.job(done=value)
            expected = sorted(Job.objects.values_list("done", "pk"), reverse=down)
            order = "-done" if down else "done"
            pages = walk(order, size)
            assert [(row.done, row.pk) for page in pages for row in page.rows] == expected
            assert all(page.total == len(values) for page in pages)
            assert pages[0].previous is None
            # And back again: the same pages in the other order.
            for earlier, later in itertools.pairwise(pages):
                back = keyset_page(Job.objects.all(), order=order, cursor=later.previous, size=size)
                assert [row.pk for row in back.rows] == [row.pk for row in earlier.rows]
            raise _Undo
    except _Undo:
        pass


def test_rows_added_meanwhile_do_not_shift_the_next_page():
    for value in range(10):
        factories.job(done=value * 10)
    first = keyset_page(Job.objects.all(), order="done", cursor=None, size=3)
    factories.job(done=1)
    second = keyset_page(Job.objects.all(), order="done", cursor=first.next, size=3)
    assert [row.done for row in second.rows] == [30, 40, 50]


def test_the_size_is_bounded():
    for _ in range(3):
        factories.job()
    assert len(keyset_page(Job.objects.all(), order="created_at", cursor=None, size=0).rows) == 1
    assert MAX_PAGE == 200


def test_counts_stop():
    assert total_text(COUNT_LIMIT) == "10,000"
    assert total_text(COUNT_LIMIT + 1) == "10,000+"


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


ORDERS = ("done", "-created_at", "kind", "uuid")


def ask(cursor):
    """Whatever the cursor: rows, or the refusal that sends the reader to the first page."""
    for order in ORDERS:
        try:
            with transaction.atomic():
                keyset_page(Job.objects.all(), order=order, cursor=cursor, size=2)
        except Refusal as refusal:
            if refusal.code != "page.cursor":
                raise


@together
@given(st.text(max_size=60))
@example("%")
@example("=")
@example("é")
def test_random_text_is_no_crash(db, cursor):
    ask(cursor)


simple = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.just("2026-01-01"),
    st.just(str(uuid.uuid4())),
)
nested = st.one_of(
    simple, st.lists(simple, max_size=2), st.dictionaries(st.sampled_from(["t", "x"]), simple, max_size=1)
)


@together
@given(st.sampled_from(["n", "p"]), nested, nested)
@example("n", 10**40, str(uuid.uuid4()))
@example("n", float("inf"), str(uuid.uuid4()))
@example("n", "not-a-date", str(uuid.uuid4()))
@example("n", None, None)
@example("n", "\x00", str(uuid.uuid4()))
@example("n", {"t": "2026-13-45T00:00:00+00:00"}, str(uuid.uuid4()))
def test_well_formed_cursors_with_odd_values_are_no_crash(db, direction, value, pk):
    factories.job(done=1)
    ask(encoded([direction, value, pk]))


def test_a_deeply_nested_cursor_is_no_crash():
    ask(base64.urlsafe_b64encode(b"[" * 5_000).decode())


def test_a_cursor_of_another_order_is_refused_or_answered():
    for value in range(5):
        factories.job(done=value)
    for order in ORDERS:
        ask(keyset_page(Job.objects.all(), order=order, cursor=None, size=2).next)
