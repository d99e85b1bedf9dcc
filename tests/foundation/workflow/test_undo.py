"""A mis-click taken back: the state, the stocks, what the step had done besides, and the period it was counted in."""

import contextlib
import datetime as dt

import pytest
from django_scopes import scopes_disabled

from support.donor_states import SEARCHED, fresh, open_deferrals, said, stand, stocks, tables
from xiangsui.foundation.indicators.selectors import figure
from xiangsui.foundation.indicators.table import find
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.workflow.services import LostRace, transition_take, transition_undo
from xiangsui.programme.donors import services
from xiangsui.programme.donors.models import Deferral, Donor
from xiangsui.programme.donors.workflow import DONOR
from xiangsui.programme.hla.models import PendingChange

PATHS = [(t.name, source) for t in DONOR.transitions if t.undoable for source in sorted(t.sources)]
LISTED = find("donors.listed")


@pytest.fixture(autouse=True)
def everywhere(world):
    with scopes_disabled():
        yield


@pytest.fixture
def alice(world):
    return world.assignments["alice"]


def take(step, donor, by, **more):
    events = transition_take(machine=DONOR, name=step, rows=[donor], assignment=by, values=said(step), **more)
    return next(event for event in events if event.kind == f"donor.{step}")


def undo(donor, event, by):
    return transition_undo(machine=DONOR, row=donor, event_id=event.uuid, assignment=by, reason="misclick")


def refused(kind, call, *donors):
    before = tables(*donors)
    with pytest.raises(kind) as caught:
        call()
    assert tables(*donors) == before
    return caught.value


@pytest.mark.parametrize(("step", "source"), PATHS)
def test_everything_is_as_before(world, alice, step, source):
    donor = stand(world.orgs["C1-1"], source)
    held, since, deferred = stocks(donor), donor.status_since, open_deferrals(donor)
    at = clock.now() - dt.timedelta(seconds=20)
    event = take(step, donor, alice, occurred_at=at)
    target = fresh(donor).status
    told = PendingChange.objects.count()
    events = undo(fresh(donor), event, alice)
    now = fresh(donor)
    assert now.status == source
    if source != "lead":  # nothing tells when somebody became a lead
        assert now.status_since == since, "the donor has been in this state since then"
    assert stocks(donor) == held
    assert {e.occurred_at for e in events} == {at}, "counted in another period than the step it corrects"
    assert {e.corrects for e in events} == {event.uuid}
    assert [e.delta for e in events if e.kind == f"donor.{step}"] == [-1]
    assert open_deferrals(donor) == deferred == (1 if source == "deferred" else 0)
    if (source in SEARCHED) != (target in SEARCHED):
        assert PendingChange.objects.count() > told, "the search still believes the step"
    assert not list(ledger_verify())


@pytest.mark.parametrize(("step", "source"), PATHS)
def test_and_the_step_can_be_taken_again(world, alice, step, source):
    donor = stand(world.orgs["C1-1"], source)
    undo(fresh(donor), take(step, donor, alice), alice)
    try:
        take(step, fresh(donor), alice)
    except Refusal as refusal:
        # Only because the time to reflect is not over may it be refused; and that is a defect of the undo.
        pytest.fail(str(refusal))
    assert open_deferrals(donor) == (1 if step == "defer" else 0)


def test_a_deferral_that_was_taken_back_does_not_end_later(world, alice, monkeypatch):
    donor = stand(world.orgs["C1-1"], "listed")
    undo(fresh(donor), take("defer", donor, alice), alice)
    assert not Deferral.objects.filter(donor=donor, ended_at=None).exists()


def test_a_deferral_that_was_ended_by_mistake_still_ends_on_its_day(world, alice, monkeypatch):
    donor = stand(world.orgs["C1-1"], "deferred")
    undo(fresh(donor), take("reinstate", donor, alice), alice)
    later = clock.now() + dt.timedelta(days=10)
    monkeypatch.setattr(clock, "now", lambda: later)
    while services.deferrals_end():
        pass
    assert fresh(donor).status == "listed"


@pytest.mark.parametrize("step", ["list", "reserve", "retire"])
def test_once(world, alice, step):
    donor = stand(world.orgs["C1-1"], DONOR.transition(step).sources[-1])
    event = take(step, donor, alice)
    undo(fresh(donor), event, alice)
    assert refused(Refusal, lambda: undo(fresh(donor), event, alice), donor).code == "workflow.not_last"


def test_only_the_last_step(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    first = take("reserve", donor, alice)
    second = take("donate", fresh(donor), alice)
    assert refused(Refusal, lambda: undo(fresh(donor), first, alice), donor).code == "workflow.not_last"
    undo(fresh(donor), second, alice)
    assert fresh(donor).status == "reserved"


def test_the_correction_itself_is_not_corrected(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    correction = undo(fresh(donor), take("reserve", donor, alice), alice)[0]
    refused(Refusal, lambda: undo(fresh(donor), correction, alice), donor)


def test_another_donors_step_is_refused(world, alice):
    one, other = stand(world.orgs["C1-1"], "listed"), stand(world.orgs["C1-1"], "listed")
    event = take("reserve", one, alice)
    take("reserve", other, alice)
    refused(Refusal, lambda: undo(fresh(other), event, alice), one, other)


@pytest.mark.parametrize("who", ["bob", "quinn", "carol", "tess", "nina", "lena", "adam"])
def test_who_could_not_take_it_cannot_take_it_back(world, alice, who):
    donor = stand(world.orgs["C1-1"], "listed")
    event = take("reserve", donor, alice)
    refused(NotAllowed, lambda: undo(fresh(donor), event, world.assignments[who]), donor)


def test_a_stale_row_loses(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    event = take("reserve", donor, alice)
    Donor.objects.filter(pk=donor.pk).update(status="donated")
    refused(LostRace, lambda: undo(donor, event, alice), donor)


def test_a_reason_in_words_is_refused_in_words(world, alice):
    """The ledger takes codes only; a reason somebody typed must not end in an error page."""
    donor = stand(world.orgs["C1-1"], "listed")
    event = take("reserve", donor, alice)
    before = tables(donor)
    with pytest.raises((Refusal, ValueError)):
        transition_undo(machine=DONOR, row=fresh(donor), event_id=event.uuid, assignment=alice, reason="点错了 张三")
    assert tables(donor) == before


# ------------------------------------------------------------------ what is no step, and steps nobody clicked


def test_a_consent_in_between_does_not_stand_in_the_way(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    event = take("reserve", donor, alice)
    services.consent_give(donor=fresh(donor), kind="publicity", text_version="2026.1", actor=alice.uuid)
    undo(fresh(donor), event, alice)
    assert fresh(donor).status == "listed"


def test_a_consent_is_not_taken_back_as_a_step(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    services.consent_give(donor=donor, kind="publicity", text_version="2026.1", actor=alice.uuid)
    event = Event.objects.get(subject=donor.pk, kind="donor.consent_given")
    refused(Refusal, lambda: undo(fresh(donor), event, alice), donor)


def test_the_registration_is_not_taken_back_as_a_step(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    event = Event.objects.get(subject=donor.pk, kind="donor.list")
    refused(Refusal, lambda: undo(fresh(donor), event, alice), donor)


def test_nobody_is_put_back_without_a_consent(world, alice):
    donor = stand(world.orgs["C1-1"], "listed")
    services.consent_withdraw(donor=donor, kind="joining", actor=alice.uuid)
    event = Event.objects.filter(subject=donor.pk, kind="donor.retire").get()
    refused(Refusal, lambda: undo(fresh(donor), event, alice), donor)
    assert fresh(donor).status == "retired"


def test_nobody_is_put_back_without_a_consent_by_an_older_step(world, alice):
    """Retired by hand, and then the consent was withdrawn: taking the step back would list him again."""
    donor = stand(world.orgs["C1-1"], "listed")
    event = take("retire", donor, alice)
    services.consent_withdraw(donor=fresh(donor), kind="joining", actor=alice.uuid)
    refused(Refusal, lambda: undo(fresh(donor), event, alice), donor)


def test_after_a_transfer_no_stock_is_ever_negative(world, alice):
    """A step of the old organisation taken back in the new one would take a donor out of a past he was never in."""
    donor = stand(world.orgs["C1"], "listed", registered_on=clock.today() - dt.timedelta(days=60))
    event = take("retire", donor, alice)
    target = world.orgs["C2"]
    transfer = services.transfer_ask(donor=fresh(donor), target=target, assignment=alice)
    services.transfer_decide(transfer=transfer, received=True, assignment=world.assignments["bob"])
    with contextlib.suppress(Refusal):
        undo(fresh(donor), event, world.assignments["bob"])
    sums: dict[object, int] = {}
    for kind, place, delta in (
        Event.objects.filter(subject=donor.pk, kind__startswith="donors.")
        .order_by("occurred_at", "recorded_at", "sequence")
        .values_list("kind", "organisation", "delta")
    ):
        sums[kind, place] = sums.get((kind, place), 0) + delta
        assert sums[kind, place] >= 0


def test_the_figure_of_the_day_is_right_again(world, alice):
    place = world.orgs["C1-1"]
    donor = stand(place, "listed")
    today = clock.today()
    before = figure(indicator=LISTED, organisation=place, occurred_until=today)
    event = take("retire", donor, alice)
    assert figure(indicator=LISTED, organisation=place, occurred_until=today) == before - 1
    known = clock.now()
    undo(fresh(donor), event, alice)
    assert figure(indicator=LISTED, organisation=place, occurred_until=today) == before
    # And what was known then stays what was known then.
    assert figure(indicator=LISTED, organisation=place, occurred_until=today, recorded_until=known) == before - 1
    assert figure(indicator=find("donors.retired"), organisation=place, occurred_until=today) == 0
