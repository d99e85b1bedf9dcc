"""Figures against a brute force: any kind, any organisation, any two dates, over a tree that moved, merged and split."""

import datetime as dt
import random
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xiangsui.foundation.indicators import selectors, services, table
from xiangsui.foundation.indicators.models import DailyTotal, Watermark
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.services import Fact, events_append
from xiangsui.foundation.orgs import services as orgs
from xiangsui.foundation.orgs.models import Kind, Organisation

pytestmark = pytest.mark.django_db

DAY = dt.date(2024, 2, 20)
SYNTHETIC = (
    {"code": "syn.count", "kind": "count", "events": ("syn.a", "syn.b")},
    {"code": "syn.stock", "kind": "stock", "events": ("syn.stock",)},
    {"code": "syn.distinct", "kind": "distinct", "events": ("syn.a",)},
    {"code": "syn.duration", "kind": "duration", "events": ("syn.b",), "begins": ("syn.a",)},
    {"code": "syn.ratio", "kind": "ratio", "numerator": "syn.count", "denominator": "syn.stock", "scale": 1000},
    {"code": "syn.of_durations", "kind": "ratio", "numerator": "syn.duration", "denominator": "syn.distinct"},
)
STOCKS = {"syn.stock", "donors.listed", "donors.available"}


@pytest.fixture(autouse=True, scope="module")
def synthetic():
    """Declared for this module only: other tests look at what the rooms declare."""
    from xiangsui.programme.donors import indicators  # noqa: F401

    for fields in SYNTHETIC:
        table.Indicator(title="", unit="", meaning="", **fields)
    yield
    for fields in SYNTHETIC:
        del table._declared[fields["code"]]


@pytest.fixture(autouse=True)
def time(monkeypatch):
    """`time[0]` is now."""
    state = [midnight(DAY)]
    monkeypatch.setattr(clock, "now", lambda: state[0])
    return state


def midnight(day):
    return dt.datetime.combine(day, dt.time(), tzinfo=clock.BEIJING).astimezone(dt.UTC)


def day_of(moment):
    return (moment + dt.timedelta(hours=8)).date()  # Beijing knows no summer time since 1991


def opened(code, parent=None, on=DAY):
    return orgs.organisation_open(code=code, name=code, kind=Kind.CITY, parent=parent, on=on)


@dataclass
class Fake:
    """An event as the brute force knows it."""

    uuid: uuid.UUID
    kind: str
    place: str
    subject: uuid.UUID
    occurred: dt.datetime
    recorded: dt.datetime
    delta: int
    corrects: uuid.UUID | None


class History:
    """Random days: organisations change, things happen or turn out to have happened, and are corrected."""

    def __init__(self, seed, time, days=9, changes=True):
        self.rng, self.time, self.changes = random.Random(seed), time, changes
        self.parents = {"N": None, **dict.fromkeys(("P1", "P2", "P3"), "N")}
        self.parents |= {f"C{n}": f"P{n % 3 + 1}" for n in range(6)} | {f"X{n}": f"C{n % 3}" for n in range(3)}
        for code, parent in self.parents.items():
            opened(code, self.org(parent) if parent else None)
        self.closed, self.trees, self.events = set(), {DAY: dict(self.parents)}, []
        self.uuids = dict(Organisation.objects.values_list("code", "uuid"))
        self.subjects = [uuid.UUID(int=self.rng.getrandbits(128)) for _ in range(6)]
        kinds = {kind for one in table.indicators() for kind in (*one.events, *one.begins)}
        self.kinds = sorted(kinds)
        for number in range(days):
            self.day = DAY + dt.timedelta(days=number)
            self.run_day()

    def org(self, code):
        return Organisation.objects.get(code=code)

    def run_day(self):
        self.time[0] = max(self.time[0], midnight(self.day))
        if self.changes and self.rng.random() < 0.5:
            self.change()
        self.trees[self.day] = dict(self.parents)
        for _ in range(self.rng.randint(0, 4)):
            self.time[0] += dt.timedelta(minutes=self.rng.choice([0, 1, 7, 180]))
            if day_of(self.time[0]) != self.day:
                self.time[0] = midnight(self.day + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)
            self.batch()
            if self.rng.random() < 0.2:
                # Never up to this very moment: more may be recorded in it (the roll-up's lag sees to that).
                back = dt.timedelta(minutes=self.rng.choice([0, 0, 30]), microseconds=1)
                services.rollup(until=self.time[0] - back)

    def change(self):
        codes = [code for code in self.parents if code != "N" and code not in self.closed]
        one, other = self.rng.sample(codes, 2)
        what = self.rng.choice(["move", "move", "merge", "split", "close"])
        try:
            with transaction.atomic():
                if what == "move":
                    orgs.organisation_move(organisation=self.org(one), parent=self.org(other), on=self.day)
                    self.parents[one] = other
                elif what == "merge":
                    orgs.organisations_merge(sources=[self.org(one)], successor=self.org(other), on=self.day)
                    for code, parent in list(self.parents.items()):
                        if parent == one and code not in self.closed:
                            self.parents[code] = other
                    self.parents[one] = other
                    self.closed.add(one)
                elif what == "split":
                    heirs = [self.org(code) for code in codes if code != one][:2]
                    orgs.organisation_split(organisation=self.org(one), successors=heirs, on=self.day)
                    self.closed.add(one)
                else:
                    orgs.organisation_close(organisation=self.org(one), on=self.day)
                    self.closed.add(one)
        except Refusal:
            pass

    def moment(self):
        """Something happened today, earlier, or on the stroke of a Beijing midnight."""
        back = self.rng.choice([0, 0, 1, 3, 9])
        day = max(DAY, self.day - dt.timedelta(days=back))
        edge = self.rng.choice([0, 0, 1, -1, 86_399_999_999, self.rng.randrange(86_400_000_000)])
        return min(max(midnight(DAY), midnight(day) + dt.timedelta(microseconds=edge)), self.time[0])

    def batch(self):
        facts, places = [], []
        taken = {event.corrects for event in self.events}
        for _ in range(self.rng.randint(1, 5)):
            free = [e for e in self.events if e.corrects is None and e.uuid not in taken]
            if free and self.rng.random() < 0.25:
                wrong = self.rng.choice(free)
                taken.add(wrong.uuid)
                place, old = wrong.place, wrong
                facts.append(
                    Fact(old.kind, self.uuids[place], old.subject, old.occurred, -old.delta, old.uuid)
                )
            else:
                kind, place = self.rng.choice(self.kinds), self.rng.choice(list(self.parents))
                delta = self.rng.choice([1, 1, -1]) if kind in STOCKS else 1
                facts.append(Fact(kind, self.uuids[place], self.rng.choice(self.subjects), self.moment(), delta))
            places.append(place)
        for event, place in zip(events_append(facts=facts, actor=None), places, strict=True):
            self.events.append(
                Fake(event.uuid, event.kind, place, event.subject, event.occurred_at, event.recorded_at, event.delta,
                     event.corrects)
            )  # fmt: skip

    # -------------------------------------------------------------- the brute force

    def below(self, code, day):
        parents = self.trees[max(known for known in self.trees if known <= max(day, DAY))]

        def within(one):
            return one is not None and (one == code or within(parents[one]))

        return {one for one in parents if within(one)}

    def value(self, one, code, first, last, known=None):
        if one.kind == "ratio":
            above = self.value(table.find(one.numerator), code, first, last, known)
            under = self.value(table.find(one.denominator), code, first, last, known)
            return None if not under or above is None else Decimal(above) * one.scale / Decimal(under)
        told = [e for e in self.events if known is None or e.recorded <= known]
        inside = self.below(code, last)
        counted = [e for e in told if e.kind in one.events and e.place in inside and day_of(e.occurred) <= last]
        if first is not None and one.kind != "stock":
            counted = [e for e in counted if day_of(e.occurred) >= first]
        if one.kind in {"count", "stock"}:
            return sum(e.delta for e in counted)
        if one.kind == "distinct":
            sums = Counter()
            for event in counted:
                sums[event.subject] += event.delta
            return sum(1 for total in sums.values() if total > 0)
        wrong = {e.corrects for e in told if e.corrects}
        starts = defaultdict(list)
        for event in told:
            if event.kind in one.begins and event.corrects is None and event.uuid not in wrong:
                starts[event.subject].append(event.occurred)
        found = []
        for event in counted:
            if event.corrects is None and event.uuid not in wrong:
                before = [at for at in starts[event.subject] if at <= event.occurred]
                if before:
                    found.append((event.occurred - max(before)) / dt.timedelta(days=1))
        if not found:
            return None
        found.sort()
        half = len(found) // 2
        return found[half] if len(found) % 2 else (found[half - 1] + found[half]) / 2

    def questions(self, number):
        days = [DAY + dt.timedelta(days=n) for n in range(-1, 14)]
        for _ in range(number):
            code, last = self.rng.choice(list(self.parents)), self.rng.choice([*days, day_of(self.time[0])])
            first = self.rng.choice([None, None, last, last - dt.timedelta(days=4)])
            known = self.rng.choice([None, None, *(event.recorded for event in self.events[:1]), self.time[0]])
            if self.events and self.rng.random() < 0.4:
                known = self.rng.choice(self.events).recorded
            yield code, first, last, known


def same(found, wanted):
    if found is None or wanted is None:
        return found is wanted
    if isinstance(wanted, int):
        return found == wanted
    return abs(Decimal(found) - Decimal(wanted)) < Decimal("1e-9")


def answer(code, one, first, last, known=None):
    place = Organisation.objects.get(code=code)
    return selectors.figure(
        indicator=one, organisation=place, occurred_from=first, occurred_until=last, recorded_until=known
    )


def undone(test):
    """Runs a hypothesis example in a transaction of its own that is rolled back."""

    def example(*arguments, **named):
        with transaction.atomic():
            test(*arguments, **named)
            transaction.set_rollback(True)

    return example


RANDOM = {"max_examples": 5, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(**RANDOM)
@given(seed=st.integers(0, 2**32))
def test_every_figure_is_the_brute_forces(time, seed):
    def example():
        time[0] = midnight(DAY)
        history = History(seed, time)
        for code, first, last, known in history.questions(6):
            for one in table.indicators():
                if one.code.startswith(("syn.", "donors.")):
                    found, wanted = answer(code, one, first, last, known), history.value(one, code, first, last, known)
                    assert same(found, wanted), (one.code, code, first, last, known, found, wanted)

    undone(example)()


@settings(**RANDOM)
@given(seed=st.integers(0, 2**32))
def test_todays_path_is_the_dated_tree(time, seed):
    def example():
        time[0] = midnight(DAY)
        history = History(seed, time)
        today = clock.today()
        for place in Organisation.objects.all():
            by_path = set(Organisation.objects.filter(path__startswith=place.path).values_list("code", flat=True))
            by_date = set(selectors.subtree_on(organisation=place, date=today))
            assert by_path == history.below(place.code, today)
            assert {history.uuids[code] for code in by_path} == by_date

    undone(example)()


@settings(**RANDOM)
@given(seed=st.integers(0, 2**32), step=st.sampled_from([1, 2, 3, 7]))
def test_rolled_up_in_any_steps_is_counted_anew(time, seed, step):
    def example():
        time[0] = midnight(DAY)
        history = History(seed, time, changes=False)
        services.rollup(until=time[0])
        steps = totals()
        services.rollup_recount()
        services.rollup(until=time[0])
        brute = Counter()
        for event in history.events:
            brute[event.kind, history.uuids[event.place], day_of(event.occurred)] += event.delta
        wanted = {key: total for key, total in brute.items() if total}
        assert steps == wanted
        assert totals() == wanted

    before = services._STEP
    services._STEP = step
    try:
        undone(example)()
    finally:
        services._STEP = before


def totals():
    return {
        (row.kind, row.organisation, row.day): row.total
        for row in DailyTotal.objects.exclude(kind__startswith="organisation.").exclude(kind__startswith="chain.")
        if row.total
    }


# ------------------------------------------------------------------ the roll-up, interrupted and on the edges


class Killed(BaseException):
    pass


def happened(place, count, kind="syn.stock", delta=1, at=None):
    return events_append(
        facts=[Fact(kind, place.uuid, uuid.uuid4(), at, delta) for _ in range(count)], actor=None
    )  # fmt: skip


@pytest.mark.parametrize("where", ["_add", "save", "progress"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_anywhere_nothing_is_counted_twice_or_never(time, monkeypatch, where, nth):
    place = opened("N")
    for _ in range(6):
        time[0] += dt.timedelta(seconds=1)
        happened(place, 2)
    time[0] += dt.timedelta(hours=1)
    monkeypatch.setattr(services, "_STEP", 3)
    calls = []

    def counted():
        calls.append(1)
        if len(calls) == nth:
            raise Killed

    with monkeypatch.context() as patch:
        if where == "_add":
            add = services._add
            patch.setattr(services, "_add", lambda sums: (add(sums), counted()))
        elif where == "save":
            save = Watermark.save
            patch.setattr(Watermark, "save", lambda self, *a, **k: (save(self, *a, **k), k.get("update_fields") and counted()))
        with pytest.raises(Killed):
            services.rollup(progress=(lambda *_: counted()) if where == "progress" else None)
    one = table.find("syn.stock")
    assert answer("N", one, None, clock.today()) == 12
    services.rollup()
    assert answer("N", one, None, clock.today()) == 12
    assert sum(totals().values()) == 12
    assert services.rollup() == 0


def test_events_of_one_moment_lie_on_one_side_of_a_step(time, monkeypatch):
    place = opened("N")
    monkeypatch.setattr(services, "_STEP", 2)
    for count in (1, 5, 2, 7):
        time[0] += dt.timedelta(seconds=1)
        happened(place, count)
    time[0] += dt.timedelta(hours=1)
    services.rollup()
    assert sum(totals().values()) == 15
    assert answer("N", table.find("syn.stock"), None, clock.today()) == 15


def test_the_last_half_minute_is_counted_before_it_is_rolled_up(time):
    place = opened("N")
    time[0] += dt.timedelta(hours=2)
    happened(place, 3)
    services.rollup()
    assert totals() == {}
    assert answer("N", table.find("syn.stock"), None, clock.today()) == 3
    time[0] += dt.timedelta(minutes=1)
    services.rollup()
    assert sum(totals().values()) == 3
    assert answer("N", table.find("syn.stock"), None, clock.today()) == 3


def test_a_day_begins_at_midnight_in_beijing(time):
    place = opened("N")
    time[0] = midnight(DAY + dt.timedelta(days=9))
    edge = midnight(DAY + dt.timedelta(days=5))
    assert edge.hour == 16
    for offset in (-1, 0, 1):
        happened(place, 1, kind="syn.a", at=edge + dt.timedelta(microseconds=offset))
    one = table.find("syn.count")
    eve, day = DAY + dt.timedelta(days=4), DAY + dt.timedelta(days=5)
    for rolled in (False, True):
        if rolled:
            time[0] += dt.timedelta(hours=1)
            services.rollup()
        for known in (None, clock.now()):
            assert answer("N", one, eve, eve, known) == 1
            assert answer("N", one, day, day, known) == 2


def test_a_figure_read_while_a_step_commits_is_not_counted_twice(time, monkeypatch):
    """The watermark, the totals and the rest are three queries; the roll-up may commit between them."""
    place = opened("N")
    happened(place, 4)
    time[0] += dt.timedelta(hours=1)
    add, done = selectors._sum, []

    def between(parts, column):
        if not done:
            done.append(1)
            services.rollup()
        return add(parts, column)

    monkeypatch.setattr(selectors, "_sum", between)
    assert answer("N", table.find("syn.stock"), None, clock.today()) == 4


def test_an_event_that_waited_for_its_lock_is_counted(time, monkeypatch):
    """The moment of recording is taken under the lock: whoever waits longer than the roll-up's lag is not lost."""
    from xiangsui.foundation.ledger import services as ledger

    place = opened("N")
    time[0] += dt.timedelta(hours=1)
    locked, waited = ledger._heads_locked, []

    def wait(chains):
        if not waited:
            waited.append(1)
            time[0] += dt.timedelta(minutes=2)
            happened(place, 1)
            time[0] += dt.timedelta(minutes=2)
            services.rollup()
        return locked(chains)

    monkeypatch.setattr(ledger, "_heads_locked", wait)
    happened(place, 1)
    time[0] += dt.timedelta(hours=1)
    services.rollup()
    assert answer("N", table.find("syn.stock"), None, clock.today()) == 2
    times = list(Event.objects.filter(chain=place.uuid).order_by("sequence").values_list("recorded_at", flat=True))
    assert times == sorted(times), "a chain tells of a later recording before an earlier one"


# ------------------------------------------------------------------ ratios and durations on the edge


def test_a_ratio_without_a_denominator_is_nothing(time):
    place = opened("N")
    happened(place, 3, kind="syn.a")
    assert answer("N", table.find("syn.ratio"), None, clock.today()) is None
    happened(place, 4)
    assert answer("N", table.find("syn.ratio"), None, clock.today()) == Decimal(750)


def test_a_duration_without_an_ending_is_nothing(time):
    place = opened("N")
    one = table.find("syn.duration")
    assert answer("N", one, None, clock.today()) is None
    happened(place, 2, kind="syn.a")
    assert answer("N", one, None, clock.today()) is None
    happened(place, 1, kind="syn.b")
    assert answer("N", one, None, clock.today()) is None, "an ending whose beginning nobody recorded"
    assert answer("N", table.find("syn.of_durations"), None, clock.today()) is None


def test_a_beginning_that_was_taken_back_does_not_count(time):
    place, who = opened("N"), uuid.uuid4()
    start = time[0]
    time[0] += dt.timedelta(days=10)
    facts = [
        Fact("syn.a", place.uuid, who, start, 1),
        Fact("syn.a", place.uuid, who, start + dt.timedelta(days=6), 1),
    ]
    right, wrong = events_append(facts=facts, actor=None)
    facts = [
        Fact("syn.a", place.uuid, who, wrong.occurred_at, -1, wrong.uuid),
        Fact("syn.b", place.uuid, who, start + dt.timedelta(days=8), 1),
    ]
    known = clock.now()
    time[0] += dt.timedelta(seconds=1)
    events_append(facts=facts, actor=None)
    assert right.corrects is None
    assert answer("N", table.find("syn.duration"), None, clock.today()) == 8
    assert answer("N", table.find("syn.duration"), None, clock.today(), known) is None


# ------------------------------------------------------------------ published


@settings(**RANDOM)
@given(seed=st.integers(0, 2**32))
def test_what_was_published_can_be_derived_again(time, seed):
    def example():
        time[0] = midnight(DAY)
        history = History(seed, time, days=5)
        rng, published = random.Random(seed), []
        time[0] += dt.timedelta(minutes=5)
        for one in table.indicators():
            if one.code.startswith(("syn.", "donors.")):
                code = rng.choice(list(history.parents))
                # Yesterday's and earlier figures: today's are another test.
                last = DAY + dt.timedelta(days=rng.randint(0, 3))
                first = rng.choice([None, DAY])
                place = Organisation.objects.get(code=code)
                figure = services.figure_publish(
                    code=one.code, organisation=place, occurred_from=first, occurred_until=last, qualifier="余"
                )
                published.append((one, code, first, last, figure))
        time[0] += dt.timedelta(seconds=40)
        for number in range(5, 10):
            history.day = DAY + dt.timedelta(days=number)
            history.run_day()
        for one, code, first, last, figure in published:
            derived = selectors.figure_rederive(published=figure)
            assert derived.holds, (one.code, code, figure.value, derived.then)
            assert figure.qualifier == "余"
            assert same(derived.now, history.value(one, code, first, last)), one.code

    undone(example)()


def test_late_entries_and_corrections_show_in_now_only(time):
    place = opened("N")
    events = happened(place, 3)
    time[0] += dt.timedelta(hours=1)
    day = clock.today()
    figure = services.figure_publish(code="syn.stock", organisation=place, occurred_until=day)
    time[0] += dt.timedelta(days=3)
    wrong = events[0]
    events_append(facts=[Fact("syn.stock", place.uuid, wrong.subject, wrong.occurred_at, -1, wrong.uuid)], actor=None)
    happened(place, 5, at=midnight(day))
    happened(place, 7)
    derived = selectors.figure_rederive(published=figure)
    assert (figure.value, derived.then, derived.now, derived.holds) == ("3", 3, 7, True)


@pytest.mark.parametrize("when", ["the same day", "dated back"])
def test_a_published_figure_holds_although_the_tree_changed(time, when):
    """No event changed: what was given out can be derived again, also after a place moved on that day."""
    nation = opened("N")
    east, west = opened("E", nation), opened("W", nation)
    town = opened("T", east)
    happened(town, 3)
    time[0] = midnight(DAY + dt.timedelta(days=5)) + dt.timedelta(hours=10)
    day = clock.today() if when == "the same day" else DAY + dt.timedelta(days=3)
    figure = services.figure_publish(code="syn.stock", organisation=east, occurred_until=day)
    assert figure.value == "3"
    time[0] += dt.timedelta(hours=2)
    orgs.organisation_move(organisation=Organisation.objects.get(code="T"), parent=west, on=day)
    time[0] += dt.timedelta(days=1)
    assert selectors.figure_rederive(published=figure).holds


def test_a_figure_published_without_a_value(time):
    place = opened("N")
    figure = services.figure_publish(code="syn.ratio", organisation=place, occurred_until=clock.today())
    assert figure.value == ""
    assert selectors.figure_rederive(published=figure).holds
    time[0] += dt.timedelta(minutes=5)
    happened(place, 2)
    derived = selectors.figure_rederive(published=figure)
    assert derived.now == 0
    assert derived.holds


@pytest.mark.parametrize("numerator", [1, 7, 1_234_567])
def test_an_endless_decimal_is_published_and_holds(time, numerator):
    place = opened("N")
    happened(place, 3)
    events_append(facts=[Fact("syn.a", place.uuid, uuid.uuid4(), None, numerator)], actor=None)
    for code in ("syn.ratio",):
        figure = services.figure_publish(code=code, organisation=place, occurred_until=clock.today())
        figure.refresh_from_db()
        assert Decimal(figure.value) > 0
        assert selectors.figure_rederive(published=figure).holds


def test_a_figure_needs_a_declared_indicator(time):
    with pytest.raises(KeyError):
        services.figure_publish(code="no.such", organisation=opened("N"), occurred_until=clock.today())


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "average"},
        {"kind": "ratio", "numerator": "syn.count"},
        {"kind": "count", "numerator": "syn.count", "denominator": "syn.stock"},
        {"kind": "duration", "events": ("x",)},
        {"kind": "count", "begins": ("x",)},
    ],
)
def test_a_declaration_that_cannot_be_counted(fields):
    with pytest.raises(ValueError):
        table.Indicator(code="syn.wrong", title="", unit="", meaning="", **fields)
    table._declared.pop("syn.wrong", None)
