"""Long random walks of a register under a clock that jumps; what must always hold is read from the tables.

Nothing here trusts a service's answer: states, stocks, deferrals, the search's overlay and the story of each donor are
counted anew from the rows.
"""

import datetime as dt
import random
from collections import Counter, defaultdict

import pytest
from django.db.models import Count
from django_scopes import scopes_disabled

from support import factories
from support.world import patient_gl
from xiangsui.foundation.indicators.selectors import figure
from xiangsui.foundation.indicators.services import rollup
from xiangsui.foundation.indicators.table import find
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.workflow.services import LostRace, transition_take, transition_undo
from xiangsui.programme.donors import services
from xiangsui.programme.donors.models import Deferral, Donor, Transfer, Typing
from xiangsui.programme.donors.workflow import DONOR
from xiangsui.programme.hla import sources
from xiangsui.programme.hla.models import PendingChange

STEPS = 2_000
STATES = {state.code for state in DONOR.states}
STOCKS = {"donors.listed": {"listed", "reserved", "deferred"}, "donors.available": {"listed"}}
ARROWS = {transition.name: transition for transition in DONOR.transitions}
SHORT = "A*02:01+A*11:01"


class Walk:
    """A register of forty donors in three cities, and everything that may happen to them."""

    def __init__(self, world, seed, jump):
        self.rng = random.Random(seed)
        self.world, self.jump = world, jump
        self.officers = {code: world.assignments[who] for code, who in (("C1", "alice"), ("C2", "bob"))}
        self.officers["C3"] = world.assignments["quinn"]
        self.province = world.assignments["paula"]
        self.said = Counter()
        self.stale = {}

    def donor(self):
        pks = list(self.mine().values_list("pk", flat=True).order_by("pk"))
        pk = self.rng.choice(pks)
        now = Donor.objects.select_related("organisation").get(pk=pk)
        # One time in eight somebody works from a page that was opened earlier.
        kept = self.stale.get(pk)
        if kept is None or self.rng.random() < 0.1:
            self.stale[pk] = Donor.objects.select_related("organisation").get(pk=pk)
        return kept if kept is not None and self.rng.random() < 0.125 else now

    def mine(self):
        return Donor.objects.filter(grid__in=self.grids)

    def begin(self):
        drafts = [
            factories.draft(
                self.world.orgs[self.rng.choice(["C1", "C2", "C3"])],
                typing=self.rng.choice(["", "", patient_gl(), SHORT]),
                birth_year=clock.today().year - self.rng.randint(19, 54),
            )
            for _ in range(40)
        ]
        made = services.donors_register(drafts=drafts)
        self.grids = [donor.grid for donor in made]

    def officer(self, donor):
        code = donor.organisation.code[:2]
        return self.officers.get(code, self.province) if self.rng.random() < 0.9 else self.province

    def step(self):
        act = self.rng.choices(
            [self.take, self.undo, self.typing, self.consent, self.transfer, self.clockwork, self.pass_time],
            weights=[50, 10, 6, 6, 6, 6, 10],
        )[0]
        try:
            act()
        except Refusal as refusal:
            self.said[refusal.code] += 1
        else:
            self.said[act.__name__] += 1

    def take(self):
        donor = self.donor()
        leading = [t for t in ARROWS.values() if donor.status in t.sources and t.name != "retire"]
        step = self.rng.choice(leading) if leading and self.rng.random() < 0.8 else self.rng.choice([*ARROWS.values()])
        values = {
            "send_to_lab": {"willing": self.rng.choice(["yes", "yes", "no"]), "understood": "yes"},
            "defer": {
                "reason": "MR",
                "axis": "donor",
                "until": (clock.today() + dt.timedelta(days=self.rng.randint(-1, 60))).isoformat(),
            },
            "retire": {"reason": "PR"},
        }.get(step.name, {})
        late = self.rng.random() < 0.15
        at = clock.now() - dt.timedelta(hours=self.rng.randint(0, 72)) if late else clock.now()
        second = factories_second(self.world) if late else None
        rows = [donor]
        if self.rng.random() < 0.15:
            rows = [*{row.pk: row for row in (donor, self.donor(), self.donor())}.values()]
        transition_take(
            machine=DONOR, name=step.name, rows=rows, assignment=self.officer(donor), values=values,
            occurred_at=at, second=second,
        )  # fmt: skip

    def undo(self):
        donor = self.donor()
        events = list(Event.objects.filter(subject=donor.pk, kind__in=[f"donor.{name}" for name in ARROWS]))
        undone = {event.corrects for event in events}
        events = [e for e in events if e.corrects is None and e.uuid not in undone and "from" in e.details]
        if not events:
            return
        newest = max(events, key=lambda event: (event.recorded_at, event.uuid))
        event = newest if self.rng.random() < 0.8 else self.rng.choice(events)
        transition_undo(
            machine=DONOR, row=donor, event_id=event.uuid, assignment=self.officer(donor), reason="misclick"
        )

    def typing(self):
        services.typing_record(donor=self.donor(), gl=self.rng.choice([SHORT, patient_gl()]))

    def consent(self):
        donor, kind = self.donor(), self.rng.choice(["joining", "publicity", "sample_kept"])
        if self.rng.random() < 0.6:
            services.consent_give(donor=donor, kind=kind, text_version="2026.1", actor=None)
        else:
            services.consent_withdraw(donor=donor, kind=kind, actor=None)

    def transfer(self):
        waiting = list(Transfer.objects.filter(decided_at=None).select_related("target", "source", "donor"))
        if waiting and self.rng.random() < 0.6:
            transfer = self.rng.choice(waiting)
            officer = self.officers[transfer.target.code[:2]]
            services.transfer_decide(transfer=transfer, received=self.rng.random() < 0.7, assignment=officer)
            return
        donor = self.donor()
        target = self.world.orgs[self.rng.choice(["C1", "C2", "C3"])]
        services.transfer_ask(donor=donor, target=target, assignment=self.officer(donor))

    def clockwork(self):
        while services.deferrals_end():
            pass
        while services.donors_age_out():
            pass

    def pass_time(self):
        self.jump(dt.timedelta(hours=self.rng.choice([1, 5, 30, 200, 900])))


def factories_second(world):
    return world.assignments["second"]


@pytest.fixture
def walk_world(world, monkeypatch):
    from xiangsui.foundation.accounts.models import Assignment

    moment = {"now": clock.now()}

    def now():
        moment["now"] += dt.timedelta(milliseconds=1)
        return moment["now"]

    def jump(by):
        moment["now"] += by

    monkeypatch.setattr(clock, "now", now)
    with scopes_disabled():
        world.assignments["second"] = factories.assignment("province_staff", world.orgs["CN"])
        Assignment.objects.update(valid_until=None)
        yield world, jump


def check(walk):
    donors = list(walk.mine().select_related("organisation"))
    pks = [donor.pk for donor in donors]
    assert {donor.status for donor in donors} <= STATES

    waiting = Counter(Deferral.objects.filter(donor__in=pks, ended_at=None).values_list("donor", flat=True))
    assert waiting == {d.pk: 1 for d in donors if d.status == "deferred"}, "open deferrals are not the deferred donors"

    everybody = Donor.objects.all()
    for kind, members in STOCKS.items():
        wanted = dict(
            everybody.filter(status__in=members).values_list("organisation__uuid").annotate(n=Count("pk")).order_by()
        )
        held = Counter()
        for place, delta in Event.objects.filter(kind=kind).values_list("organisation", "delta"):
            held[place] += delta
        # The world's eight named donors were put into their states by hand.
        for place in {*wanted, *held}:
            assert held[place] - walk.offset.get((kind, place), 0) == wanted.get(place, 0), (kind, place)

    undone, stories = set(), defaultdict(list)
    for event in Event.objects.filter(subject__in=pks, kind__in=[f"donor.{n}" for n in ARROWS]).order_by(
        "recorded_at", "uuid"
    ):
        stories[event.subject].append(event)
        if event.corrects:
            undone.add(event.corrects)
    for donor in donors:
        state = None
        for event in stories[donor.pk]:
            told = event.details
            assert told.get("from", state) == state, f"{event.kind} does not start where the story stands"
            state = told["to"]
        assert state == donor.status, "the ledger tells another state than the table"

    indexed = {row[0] for row in walk.index}
    pending = set(PendingChange.objects.values_list("subject", flat=True))
    some = {row.subject for row in sources.some(list(pending)) if row.typing is not None}
    found = (indexed - pending) | some
    typed = set(Typing.objects.filter(current=True).values_list("donor", flat=True))
    listed = set(everybody.filter(status__in=("listed", "reserved")).values_list("pk", flat=True))
    assert found & set(pks) == listed & typed & set(pks), "a search does not find exactly the listed and the reserved"
    without = {d.pk for d in donors if d.status in {"listed", "reserved"}} - consented()
    assert not without, "listed without a consent to joining"


def consented():
    from xiangsui.programme.donors.models import ConsentVersion

    return set(ConsentVersion.objects.filter(kind="joining", withdrawn_at=None).values_list("donor", flat=True))


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_the_tables_agree(walk_world, seed):
    world, jump = walk_world
    walk = Walk(world, seed, jump)
    walk.offset = Counter()
    for kind, members in STOCKS.items():
        for place, delta in Event.objects.filter(kind=kind).values_list("organisation", "delta"):
            walk.offset[kind, place] += delta
        for place in Donor.objects.filter(status__in=members).values_list("organisation__uuid", flat=True):
            walk.offset[kind, place] -= 1
    walk.index = []
    walk.begin()
    check(walk)
    for number in range(STEPS // 2):
        walk.step()
        if number % 25 == 0:
            check(walk)
        if number % 200 == 0:
            rollup()
    check(walk)
    assert not list(ledger_verify())
    # The walk went somewhere: every kind of act succeeded, and every kind of refusal was met.
    acts = {"take", "undo", "typing", "consent", "transfer", "clockwork", "pass_time"}
    assert acts <= set(walk.said), walk.said
    assert walk.said["take"] > 100, walk.said
    for code in ("C1", "P1", "P2", "CN"):
        for kind in STOCKS:
            if kind != "donors.listed":
                continue
            place = world.orgs[code]
            below = Donor.objects.filter(organisation__path__startswith=place.path, status__in=STOCKS[kind]).count()
            off = sum(n for (k, o), n in walk.offset.items() if k == kind and o in under(place))
            assert figure(indicator=find(kind), organisation=place, occurred_until=clock.today()) - off == below


def under(place):
    from xiangsui.foundation.orgs.models import Organisation

    return set(Organisation.objects.filter(path__startswith=place.path).values_list("uuid", flat=True))


def test_the_walk_notices_what_it_watches_for(walk_world):
    """Each invariant fails when its rows are wrong."""
    world, jump = walk_world
    walk = Walk(world, 5, jump)
    walk.offset, walk.index = Counter(), []
    for kind, members in STOCKS.items():
        for place, delta in Event.objects.filter(kind=kind).values_list("organisation", "delta"):
            walk.offset[kind, place] += delta
        for place in Donor.objects.filter(status__in=members).values_list("organisation__uuid", flat=True):
            walk.offset[kind, place] -= 1
    walk.begin()
    check(walk)
    one = walk.mine().filter(status="listed").first()
    for change in ({"status": "reserved"}, {"status": "deferred"}, {"organisation": world.orgs["C1-2"]}):
        before = {name: getattr(one, name) for name in change}
        Donor.objects.filter(pk=one.pk).update(**change)
        with pytest.raises(AssertionError):
            check(walk)
        Donor.objects.filter(pk=one.pk).update(**before)
    check(walk)
    PendingChange.objects.filter(subject=one.pk).delete()
    with pytest.raises(AssertionError):
        check(walk)


def test_lost_race_is_a_refusal():
    assert issubclass(LostRace, Refusal)
