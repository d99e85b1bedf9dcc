"""Every arrow of the donor's machine: who may take it from where, what refuses it, and that a refusal changes nothing."""

import datetime as dt
from collections import Counter

import pytest
from django_scopes import scopes_disabled

from support import factories
from support.donor_states import ON_REGISTER, SEARCHED, fresh, open_deferrals, said, stand, tables
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.workflow.selectors import transitions_open
from xiangsui.foundation.workflow.services import LostRace, transition_take
from xiangsui.programme.donors.codes import Status
from xiangsui.programme.donors.models import ConsentVersion, Deferral, Donor, Typing
from xiangsui.programme.donors.workflow import DONOR
from xiangsui.programme.hla.models import PendingChange

# The machine by hand, from the specification: step → (from, to).
ARROWS = {
    "enrol": ({"lead"}, "enrolled"),
    "sample": ({"enrolled"}, "sampled"),
    "reflect": ({"sampled"}, "reflecting"),
    "send_to_lab": ({"reflecting"}, "in_lab"),
    "defer": ({"listed"}, "deferred"),
    "reinstate": ({"deferred"}, "listed"),
    "reserve": ({"listed"}, "reserved"),
    "release": ({"reserved"}, "listed"),
    "donate": ({"reserved"}, "donated"),
    "relist": ({"donated"}, "listed"),
    "retire": (set(Status.values) - {"retired"}, "retired"),
}
# The system's own clockwork may take these alone.
AUTOMATIC = {"list", "reinstate", "release", "retire"}


def sources(step):
    return ARROWS[step][0] if step in ARROWS else set(DONOR.transition(step).sources)


STEPS = [transition.name for transition in DONOR.transitions]
ALLOWED = [(step, source) for step in STEPS for source in sorted(sources(step))]
WRONG = [(step, source) for step in STEPS for source in Status.values if source not in sources(step)]


@pytest.fixture(autouse=True)
def everywhere(world):
    with scopes_disabled():
        yield


@pytest.fixture
def alice(world):
    return world.assignments["alice"]


def take(step, rows, by, values=None, **more):
    values = said(step) if values is None else values
    rows = rows if isinstance(rows, list) else [rows]
    return transition_take(machine=DONOR, name=step, rows=rows, assignment=by, values=values, **more)


def refused(kind, call, *donors):
    """Runs `call`, which must refuse and change nothing; returns the refusal."""
    before = tables(*donors)
    with pytest.raises(kind) as caught:
        call()
    assert tables(*donors) == before, "a refused step left something behind"
    return caught.value


# ------------------------------------------------------------------ the table


def test_the_table_is_the_specification():
    drawn = {t.name: (set(t.sources), t.target) for t in DONOR.transitions}
    assert {step: drawn.get(step) for step in ARROWS} == ARROWS
    assert set(drawn) - set(ARROWS) <= {"list", "list_direct", "list_import"}
    assert drawn["list"][1] == "listed"
    assert "in_lab" in drawn["list"][0]
    assert drawn["list"][0].isdisjoint({"lead", "reflecting", "listed", "reserved", "deferred", "donated", "retired"})
    assert {t.name for t in DONOR.transitions if t.automatic} == AUTOMATIC
    assert {t.wmda for t in DONOR.states if t.code in ON_REGISTER} == {"AV", "RS", "TU"}
    assert {state.code for state in DONOR.states} == set(Status.values)


# ------------------------------------------------------------------ the allowed paths


@pytest.mark.parametrize(("step", "source"), ALLOWED)
@pytest.mark.parametrize("who", ["alice", "paula"])
def test_an_allowed_step(world, step, source, who):
    by, place = world.assignments[who], world.orgs["C1-1"]
    donor = stand(place, source)
    target = DONOR.transition(step).target
    pending, before = PendingChange.objects.count(), Event.objects.count()
    at = clock.now()
    events = take(step, donor, by, occurred_at=at)
    now = fresh(donor)
    assert (now.status, now.status_since) == (target, at)
    assert Event.objects.count() == before + len(events)
    [main] = [event for event in events if event.kind == f"donor.{step}"]
    assert (main.delta, main.actor, main.subject, main.organisation) == (1, by.uuid, donor.pk, place.uuid)
    assert (main.details["from"], main.details["to"]) == (source, target)
    assert "breach" not in main.details
    assert "late" not in main.details
    assert {event.occurred_at for event in events} == {at}
    changes = {e.kind: e.delta for e in events if e.kind.startswith("donors.")}
    listed = (target in ON_REGISTER) - (source in ON_REGISTER)
    available = (target == "listed") - (source == "listed")
    assert changes == {k: d for k, d in {"donors.listed": listed, "donors.available": available}.items() if d}
    if (source in SEARCHED) != (target in SEARCHED):
        assert PendingChange.objects.count() > pending, "the search was not told"
    assert open_deferrals(donor) == (1 if target == "deferred" else 0)
    assert not list(ledger_verify())


@pytest.mark.parametrize("source", Status.values)
def test_the_buttons_are_the_steps_that_work(world, alice, source):
    donor = stand(world.orgs["C1-1"], source)
    offered = {t.name for t in transitions_open(machine=DONOR, row=donor, assignment=alice)}
    assert offered == {step for step in STEPS if source in sources(step)}
    for who in ("bob", "carol", "tess", "nina", "lena", "adam", "quinn"):
        assert transitions_open(machine=DONOR, row=donor, assignment=world.assignments[who]) == []


# ------------------------------------------------------------------ refused: state, role, scope


@pytest.mark.parametrize(("step", "source"), WRONG)
def test_a_wrong_state_is_refused(world, alice, step, source):
    donor = stand(world.orgs["C1-1"], source)
    refused(Refusal, lambda: take(step, donor, alice), donor)
    # Recorded late with a second person it is refused as well: a state is not a guard.
    second = world.assignments["paula"]
    refused(Refusal, lambda: take(step, fresh(donor), alice, second=second), donor)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.CITY_OFFICER, Role.PROVINCE_STAFF}])
def test_a_role_without_permission_is_refused(world, step, role):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    for place in ("C1", "C1-1", "CN"):
        by = factories.assignment(role, world.orgs[place])
        assert refused(NotAllowed, lambda by=by: take(step, donor, by), donor).status == 403
    # A second person with every permission does not lend it.
    by = factories.assignment(role, world.orgs["C1"])
    refused(NotAllowed, lambda: take(step, donor, by, second=world.assignments["alice"]), donor)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("place", ["C2", "C1-2", "P2", "C3-1", "H1", "B1", "L1"])
def test_outside_the_scope_is_refused(world, step, place):
    """The right role elsewhere; above, but in a laboratory, hospital or blood station; beside it; below it."""
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    by = factories.assignment(Role.CITY_OFFICER, world.orgs[place])
    refused(NotAllowed, lambda: take(step, donor, by), donor)
    refused(NotAllowed, lambda: take(step, donor, by, second=world.assignments["alice"]), donor)


def test_a_county_does_not_reach_up(world):
    donor = stand(world.orgs["C1"], "listed")
    by = factories.assignment(Role.CITY_OFFICER, world.orgs["C1-1"])
    refused(NotAllowed, lambda: take("reserve", donor, by), donor)


@pytest.mark.parametrize("step", STEPS)
def test_the_clockwork_takes_automatic_steps_only(world, step):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    if step in AUTOMATIC:
        events = take(step, donor, None)
        assert {event.actor for event in events} == {None}
    else:
        assert refused(NotAllowed, lambda: take(step, donor, None), donor).code == "workflow.not_automatic"


def test_the_clockwork_records_nothing_late(world):
    donor = stand(world.orgs["C1-1"], "deferred")
    refused(NotAllowed, lambda: take("reinstate", donor, None, second=world.assignments["alice"]), donor)


# ------------------------------------------------------------------ refused: guards, each alone


def too_old(donor):
    Donor.objects.filter(pk=donor.pk).update(birth_year=clock.today().year - 46)


def too_young(donor):
    Donor.objects.filter(pk=donor.pk).update(birth_year=clock.today().year - 17)


def not_agreed(donor):
    ConsentVersion.objects.filter(donor=donor, kind="joining").update(withdrawn_at=clock.now())


def agreed_to_something_else(donor):
    ConsentVersion.objects.filter(donor=donor, kind="joining").update(kind="publicity")


def nobody_recruited(donor):
    Donor.objects.filter(pk=donor.pk).update(recruited_by=None, recruiter=None)


def untyped(donor):
    Typing.objects.filter(donor=donor).update(current=False)


def typed_at_two_loci(donor):
    Typing.objects.filter(donor=donor).update(gl="A*02:01+A*11:01^B*40:01+B*46:01")


def six_days_only(donor):
    Donor.objects.filter(pk=donor.pk).update(status_since=clock.now() - dt.timedelta(days=6, hours=23))


# (step, guard, what breaks it alone, what is said)
BROKEN = [
    ("enrol", "age", too_old, None),
    ("enrol", "age", too_young, None),
    ("enrol", "consent", not_agreed, None),
    ("enrol", "consent", agreed_to_something_else, None),
    ("enrol", "attribution", nobody_recruited, None),
    ("sample", "consent", not_agreed, None),
    ("send_to_lab", "reflected", six_days_only, None),
    ("send_to_lab", "willing", None, {"willing": "no", "understood": "yes"}),
    ("send_to_lab", "willing", None, {"willing": "later", "understood": "yes"}),
    ("list", "typed", untyped, None),
    ("list", "typed", typed_at_two_loci, None),
    ("list", "consent", not_agreed, None),
    ("defer", "until", None, {"reason": "MR", "axis": "donor", "until": clock.today().isoformat()}),
    ("defer", "until", None, {"reason": "MR", "axis": "donor", "until": "2001-01-01"}),
    ("relist", "consent", not_agreed, None),
]


def test_every_guard_is_broken_somewhere_here():
    known = {(t.name, guard.code) for t in DONOR.transitions for guard in t.guards}
    assert {(step, code) for step, code, _, _ in BROKEN} <= known
    # A guard that comes later needs its case here, or its own test and its name in this set.
    assert known - {(step, code) for step, code, _, _ in BROKEN} <= {
        ("relist", "interval"),
        ("send_to_lab", "understood"),
    }


@pytest.mark.parametrize(("step", "code", "spoil", "values"), BROKEN)
def test_a_guard_alone_refuses_and_a_late_record_bears_the_mark(world, alice, step, code, spoil, values):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[-1])
    if spoil:
        spoil(donor)
    donor = fresh(donor)
    assert refused(Refusal, lambda: take(step, donor, alice, values), donor).code == f"guard.{code}"
    second = world.assignments["paula"]
    at = clock.now()
    [main] = [e for e in take(step, fresh(donor), alice, values, occurred_at=at, second=second) if e.corrects is None][
        :1
    ]
    assert main.details["breach"].split(".") == [code]
    assert main.details["late"] is True
    assert main.details["second"] == str(second.uuid)
    assert fresh(donor).status == DONOR.transition(step).target


def test_all_guards_that_did_not_hold_are_marked(world, alice):
    donor = stand(world.orgs["C1-1"], "lead")
    for spoil in (too_old, not_agreed, nobody_recruited):
        spoil(donor)
    [main] = take("enrol", fresh(donor), alice, second=world.assignments["paula"])
    told = main.body
    assert all(code in told for code in ("age", "consent", "attribution")), told


def test_the_time_to_reflect_ends_to_the_minute(world, alice):
    donor = stand(world.orgs["C1-1"], "reflecting", days=8)
    at = donor.status_since + dt.timedelta(days=7)
    short = at - dt.timedelta(seconds=1)
    second = world.assignments["paula"]
    [main] = take("send_to_lab", donor, alice, occurred_at=short, second=second)
    assert main.details["breach"] == "reflected"
    other = stand(world.orgs["C1-1"], "reflecting", days=8)
    [main] = take("send_to_lab", other, alice, occurred_at=other.status_since + dt.timedelta(days=7), second=second)
    assert "breach" not in main.details


def test_the_family_is_recorded_and_never_a_veto(world, alice):
    donor = stand(world.orgs["C1-1"], "reflecting")
    [main] = take("send_to_lab", donor, alice, {**said("send_to_lab"), "family": "objects"})
    assert main.details["family"] == "objects"


def test_the_year_of_the_age_is_beijings(world, alice, monkeypatch):
    """At 01:00 of the first of January in Beijing it is still last year in Greenwich."""
    at = dt.datetime(2027, 1, 1, 1, tzinfo=clock.BEIJING)
    donor = stand(world.orgs["C1-1"], "lead", days=400)
    Donor.objects.filter(pk=donor.pk).update(birth_year=2009)
    ConsentVersion.objects.filter(donor=donor).update(given_at=at - dt.timedelta(days=3))
    monkeypatch.setattr(clock, "now", lambda: at.astimezone(dt.UTC))
    take("enrol", fresh(donor), alice)
    assert fresh(donor).status == "enrolled"


# ------------------------------------------------------------------ refused: what is said


FIELDS = [(t.name, f.name, f.kind, f.required) for t in DONOR.transitions for f in t.fields]


@pytest.mark.parametrize(("step", "field", "kind", "required"), FIELDS)
def test_a_field_left_out_or_wrong(world, alice, step, field, kind, required):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    for nothing in (None, ""):
        values = {**said(step), field: nothing}
        if required:
            assert refused(Refusal, lambda v=values: take(step, donor, alice, v), donor).code == "workflow.field"
    without = {name: value for name, value in said(step).items() if name != field}
    if required:
        assert refused(Refusal, lambda: take(step, donor, alice, without), donor).code == "workflow.field"
    wrong = (
        ["nonsense", "maybe", " ", "yes; drop", 7, ["yes"], True]
        if kind != "date"
        else ["31.12.2999", "x", 7, "2999-13-01"]
    )
    for value in wrong:
        values = {**said(step), field: value}
        answer = refused(Refusal, lambda v=values: take(step, donor, alice, v), donor)
        assert answer.code == "workflow.value", value
    # Nor is anything waived by a second person: only guards are.
    if required:
        second = world.assignments["paula"]
        refused(Refusal, lambda: take(step, donor, alice, without, second=second), donor)


@pytest.mark.parametrize("step", STEPS)
def test_something_extra_is_refused(world, alice, step):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    values = {**said(step), "note": "secret"}
    assert refused(Refusal, lambda: take(step, donor, alice, values), donor).code == "workflow.extra"


def test_a_moment_is_taken_for_its_day_or_refused(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    values = {**said("defer"), "until": dt.datetime(2999, 1, 1, 12, tzinfo=dt.UTC)}
    try:
        take("defer", donor, alice, values)
    except Refusal as refusal:
        assert refusal.code == "workflow.value"
    else:
        assert Deferral.objects.get(donor=donor).until == dt.date(2999, 1, 1)


@pytest.mark.parametrize("step", STEPS)
def test_the_future_is_refused_also_with_a_second_person(world, alice, step):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    at = clock.now() + dt.timedelta(minutes=5)
    for second in (None, world.assignments["paula"]):
        answer = refused(Refusal, lambda s=second: take(step, donor, alice, occurred_at=at, second=s), donor)
        assert answer.code == "workflow.future"


# ------------------------------------------------------------------ late records


def test_dating_back_needs_a_second_person(world, alice):
    """One person alone cannot choose the day on which the rules were other ones (age on the day of enrolment)."""
    donor = stand(world.orgs["C1-1"], "lead", days=2000)
    Donor.objects.filter(pk=donor.pk).update(birth_year=clock.today().year - 47)
    at = clock.now() - dt.timedelta(days=3 * 366)
    refused(Refusal, lambda: take("enrol", fresh(donor), alice, occurred_at=at), donor)
    [main] = take("enrol", fresh(donor), alice, occurred_at=at, second=world.assignments["paula"])
    assert main.occurred_at == at
    assert main.recorded_at > at
    assert main.details["late"] is True
    assert "breach" not in main.details


@pytest.mark.parametrize("step", STEPS)
def test_nobody_confirms_himself(world, alice, step):
    donor = stand(world.orgs["C1-1"], sorted(sources(step))[0])
    answer = refused(Refusal, lambda: take(step, donor, alice, second=alice), donor)
    assert answer.code == "workflow.second"
    # Nor under another of his assignments.
    other = factories.assignment(Role.PROVINCE_STAFF, world.orgs["P1"], who=world.users["alice"])
    assert refused(Refusal, lambda: take(step, donor, alice, second=other), donor).code == "workflow.second"


@pytest.mark.parametrize(
    "second",
    [
        lambda world: world.assignments["quinn"],
        lambda world: world.assignments["dora"],
        lambda world: world.assignments["adam"],
        lambda world: factories.assignment(
            Role.CITY_OFFICER,
            world.orgs["C1"],
            valid_from=clock.today() - dt.timedelta(days=9),
            valid_until=clock.today() - dt.timedelta(days=1),
        ),
    ],
    ids=["another province", "a hospital", "no keeper", "no longer in office"],
)
def test_the_second_person_is_one_who_might_have_done_it(world, alice, second):
    donor = stand(world.orgs["C1-1"], "enrolled")
    refused(Refusal, lambda: take("sample", donor, alice, second=second(world)), donor)


def test_whose_term_has_ended_takes_no_step(world):
    """The session still holds the assignment; the service asks again."""
    by = factories.assignment(
        Role.CITY_OFFICER,
        world.orgs["C1"],
        valid_from=clock.today() - dt.timedelta(days=9),
        valid_until=clock.today() - dt.timedelta(days=1),
    )
    donor = stand(world.orgs["C1-1"], "enrolled")
    refused(NotAllowed, lambda: take("sample", donor, by), donor)


# ------------------------------------------------------------------ batches and races


def spoil_state(world):
    return stand(world.orgs["C1-1"], "retired")


def spoil_scope(world):
    return stand(world.orgs["C2"], "enrolled")


def spoil_guard(world):
    donor = stand(world.orgs["C1-1"], "enrolled")
    not_agreed(donor)
    return fresh(donor)


def spoil_race(world):
    donor = stand(world.orgs["C1-1"], "enrolled")
    Donor.objects.filter(pk=donor.pk).update(status="sampled")
    return donor


@pytest.mark.parametrize("spoil", [spoil_state, spoil_scope, spoil_guard, spoil_race])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_one_bad_row_stops_the_whole_batch(world, alice, spoil, place):
    rows = [stand(world.orgs["C1-1"], "enrolled") for _ in range(3)]
    rows.insert(place, spoil(world))
    refused(Refusal, lambda: take("sample", rows, alice), *rows)
    good = [row for index, row in enumerate(rows) if index != place]
    events = take("sample", [fresh(row) for row in good], alice)
    assert Counter(event.subject for event in events) == Counter(row.pk for row in good)


def test_a_batch_from_several_states_and_organisations(world, alice):
    rows = [stand(world.orgs[o], s) for o in ("C1", "C1-1", "C1-2") for s in ("listed", "deferred", "reserved", "lead")]
    events = take("retire", rows, alice)
    assert {fresh(row).status for row in rows} == {"retired"}
    lost = Counter((e.kind, e.organisation) for e in events if e.kind.startswith("donors."))
    for code in ("C1", "C1-1", "C1-2"):
        assert lost["donors.listed", world.orgs[code].uuid] == 3
        assert lost["donors.available", world.orgs[code].uuid] == 1
    assert not list(ledger_verify())


def test_a_row_given_twice_is_no_two_steps(world, alice):
    donor = stand(world.orgs["C1-1"], "enrolled")
    refused(Refusal, lambda: take("sample", [donor, fresh(donor)], alice), donor)


def test_an_empty_batch_is_nothing(alice):
    before = Event.objects.count()
    assert take("sample", [], alice) == []
    assert Event.objects.count() == before


def test_whoever_comes_second_is_told_and_changes_nothing(world, alice):
    stale = stand(world.orgs["C1-1"], "listed")
    take("reserve", fresh(stale), alice)
    answer = refused(LostRace, lambda: take("defer", stale, alice), stale)
    assert (answer.status, answer.code) == (409, "workflow.lost_race")
    assert stale.grid in str(answer)


@pytest.mark.xfail(strict=True, reason="G22: names the first row of the batch")
def test_the_race_names_the_row_that_was_lost(world, alice):
    first, lost = stand(world.orgs["C1-1"], "listed"), stand(world.orgs["C1-1"], "listed")
    take("reserve", fresh(lost), alice)
    answer = refused(LostRace, lambda: take("defer", [first, lost], alice), first, lost)
    assert lost.grid in str(answer)
    assert first.grid not in str(answer)


def test_a_wrong_state_that_nobody_changed_is_not_called_a_race(world, alice):
    donor = stand(world.orgs["C1-1"], "retired")
    answer = refused(Refusal, lambda: take("sample", donor, alice), donor)
    assert not isinstance(answer, LostRace), "nobody had changed it: the message must not say so"


def test_a_donor_who_moved_meanwhile_is_no_longer_ones_own(world, alice):
    """The page was read before the transfer was received: scope and stocks are of where the donor stands now."""
    stale = stand(world.orgs["C1-1"], "listed")
    Donor.objects.filter(pk=stale.pk).update(organisation=world.orgs["C3-1"])
    refused(Refusal, lambda: take("reserve", stale, alice), stale)


def test_a_step_that_fails_late_leaves_the_row_in_memory_as_it_was(world, alice, monkeypatch):
    from xiangsui.foundation.workflow import services

    def broken(**_):
        raise RuntimeError

    donor = stand(world.orgs["C1-1"], "listed")
    before = tables(donor)
    monkeypatch.setattr(services, "events_append", broken)
    with pytest.raises(RuntimeError):
        take("reserve", donor, alice)
    assert tables(donor) == before
    assert donor.status == "listed"
