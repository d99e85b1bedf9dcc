"""Organisations open, move, bear other names, merge and split; any day's tree equals one replayed by hand."""

import datetime as dt
import itertools

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.orgs import divisions, selectors, services
from xiangsui.foundation.orgs.models import Kind, Organisation, OrganisationPeriod

pytestmark = pytest.mark.django_db

DAY = dt.date(2003, 1, 1)


def day(number):
    return DAY + dt.timedelta(days=number)


def opened(code, parent=None, on=0):
    return services.organisation_open(code=code, name=code, kind=Kind.CITY, parent=parent, on=day(on))


def below(organisation, number):
    found = selectors.subtree_on(organisation=organisation, date=day(number))
    return set(Organisation.objects.filter(uuid__in=found).values_list("code", flat=True))


def test_a_move_counts_from_its_day():
    root = opened("root")
    east, west = opened("east", root), opened("west", root)
    town = opened("town", east)
    services.organisation_move(organisation=town, parent=west, on=day(10))
    assert below(east, 9) == {"east", "town"}
    assert below(east, 10) == {"east"}
    assert below(west, 9) == {"west"}
    assert below(west, 10) == {"west", "town"}


def test_a_merged_organisation_counts_below_its_successor_from_that_day():
    root = opened("root")
    old, new = opened("old", root), opened("new", root)
    house = opened("house", old)
    services.organisations_merge(sources=[old], successor=new, on=day(10))
    assert below(new, 9) == {"new"}
    assert below(new, 10) == {"new", "old", "house"}
    old.refresh_from_db()
    assert old.closed_on == day(10)
    assert Organisation.objects.get(code="new").contains(Organisation.objects.get(code="old"))
    assert Organisation.objects.get_parent(Organisation.objects.get(pk=house.pk)).code == "new"
    assert not list(ledger_verify())
    assert Event.objects.filter(chain=new.uuid, kind="chain.opened", subject=old.uuid).count() == 1


def test_a_split_leaves_the_past_where_it_stood():
    root = opened("root")
    old, east, west = opened("old", root), opened("east", root), opened("west", root)
    services.organisation_split(organisation=old, successors=[east, west], on=day(10))
    assert below(root, 11) == {"root", "old", "east", "west"}
    assert below(east, 11) == {"east"}
    assert not list(ledger_verify())


def test_a_name_of_its_time():
    town = opened("town")
    services.organisation_rename(organisation=town, name="新名", on=day(10))
    assert selectors.name_on(organisation=town, date=day(9)) == "town"
    assert selectors.name_on(organisation=town, date=day(10)) == "新名"


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (lambda r, a, b: services.organisation_move(organisation=r, parent=a, on=day(5)), "organisation.cycle"),
        (lambda r, a, b: services.organisation_close(organisation=r, on=day(5)), "organisation.has_children"),
        (lambda r, a, b: services.organisation_move(organisation=a, parent=b, on=day(-5)), "organisation.not_open"),
        (lambda r, a, b: services.organisation_split(organisation=a, successors=[b], on=day(5)), "organisation.split"),
        (lambda r, a, b: services.organisations_merge(sources=[r], successor=a, on=day(5)), "organisation.cycle"),
    ],
)
def test_what_cannot_be_is_refused(attempt, code):
    root = opened("root")
    with pytest.raises(Refusal) as refusal:
        attempt(root, opened("a", root), opened("b", root))
    assert refusal.value.code == code


def test_history_is_told_forwards():
    root = opened("root")
    east, west, town = opened("east", root), opened("west", root), opened("town", root)
    services.organisation_move(organisation=town, parent=east, on=day(10))
    with pytest.raises(Refusal) as refusal:
        services.organisation_move(organisation=town, parent=west, on=day(9))
    assert refusal.value.code == "organisation.out_of_order"
    assert below(east, 10) == {"east", "town"}


def test_a_closed_organisation_takes_nothing_new():
    root = opened("root")
    town = opened("town", root)
    services.organisation_close(organisation=town, on=day(3))
    with pytest.raises(Refusal):
        opened("house", Organisation.objects.get(pk=town.pk), on=4)


# ------------------------------------------------------------------ against a replay by hand


class Replay:
    """The same history as plain dictionaries: who stands below whom after each operation, by day."""

    def __init__(self):
        self.parents = {"root": None}
        self.closed = set()
        self.days = []

    def snapshot(self, number):
        self.days.append((number, dict(self.parents)))

    def ancestors(self, code, parents):
        while code is not None:
            yield code
            code = parents[code]

    def below(self, code, number):
        parents = [snapshot for at, snapshot in self.days if at <= number][-1]
        return {one for one in parents if code in self.ancestors(one, parents)}

    def open_ones(self):
        return [code for code in self.parents if code not in self.closed]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ommxs"), st.integers(0, 99), st.integers(0, 99)), max_size=14))
def test_random_histories_equal_a_replay(steps):
    with transaction.atomic():
        opened("root")
        replay = Replay()
        replay.snapshot(0)
        names = (f"o{n}" for n in itertools.count())
        for number, (what, one, two) in enumerate(steps, 1):
            candidates = replay.open_ones()
            a, b = candidates[one % len(candidates)], candidates[two % len(candidates)]
            nodes = {code: Organisation.objects.get(code=code) for code in (a, b)}
            if what == "o":
                code = next(names)
                opened(code, nodes[a], on=number)
                replay.parents[code] = a
            elif what == "m" and a != "root" and a not in replay.ancestors(b, replay.parents):
                services.organisation_move(organisation=nodes[a], parent=nodes[b], on=day(number))
                replay.parents[a] = b
            elif what == "x" and a not in replay.ancestors(b, replay.parents):
                services.organisations_merge(sources=[nodes[a]], successor=nodes[b], on=day(number))
                for code, parent in replay.parents.items():
                    if parent == a and code not in replay.closed:
                        replay.parents[code] = b
                replay.parents[a] = b
                replay.closed.add(a)
            elif (
                what == "s"
                and a != "root"
                and not any(parent == a and code not in replay.closed for code, parent in replay.parents.items())
            ):
                services.organisation_close(organisation=nodes[a], on=day(number))
                replay.closed.add(a)
            replay.snapshot(number)
        for number in range(len(steps) + 1):
            for code in replay.parents:
                node = Organisation.objects.get(code=code)
                if node.opened_on <= day(number):
                    assert below(node, number) == replay.below(code, number)
        last = len(steps)
        for node in Organisation.objects.filter(code__in=replay.parents):
            today = set(selectors.organisations_below(tree=node.path).values_list("code", flat=True))
            assert today == below(node, last)
        assert not list(ledger_verify())
        assert Organisation.objects.find_problems() == ([], [], [], [], [])
        transaction.set_rollback(True)


def test_periods_follow_without_a_gap():
    root = opened("root")
    east, town = opened("east", root), opened("town", root)
    services.organisation_move(organisation=town, parent=east, on=day(10))
    services.organisation_rename(organisation=town, name="x", on=day(10))
    services.organisation_close(organisation=town, on=day(20))
    periods = list(OrganisationPeriod.objects.filter(organisation=town).order_by("valid_from"))
    assert [(p.valid_from, p.valid_until) for p in periods] == [
        (day(0), day(10)),
        (day(10), day(20)),
        (day(20), None),
    ]
    assert [(p.name, p.is_open) for p in periods] == [("town", True), ("x", True), ("x", False)]


def test_the_divisions_of_china():
    provinces = divisions.below()
    assert len(provinces) == 34
    assert divisions.full_name("330106") == "浙江省 杭州市 西湖区"
    assert divisions.full_name("110101") == "北京市 东城区"
    assert divisions.full_name("441900") == "广东省 东莞市"
    assert divisions.find("999999") is None
    assert all(
        division.code[:2] == division.parent[:2] for division in divisions.everything().values() if division.parent
    )
