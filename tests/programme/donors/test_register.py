"""The register's services: consents, deferrals, ages, transfers, who is known already, numbers, and finding people."""

import datetime as dt
import uuid

import pytest
from django_scopes import scopes_disabled

from support import factories
from support.donor_states import fresh, open_deferrals, said, stand, stocks, tables
from support.world import patient_gl
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.orgs.models import Kind
from xiangsui.foundation.people.identity import identity_read
from xiangsui.foundation.people.models import Person
from xiangsui.foundation.people.selectors import people_visible
from xiangsui.foundation.programme_rules.services import rule_add
from xiangsui.foundation.workflow.services import transition_take
from xiangsui.programme.donors import selectors, services
from xiangsui.programme.donors.models import ConsentVersion, Deferral, Donor, Transfer
from xiangsui.programme.donors.workflow import DONOR
from xiangsui.programme.hla.models import PendingChange

CODES = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(serial=1, born=None):
    """An invented resident number with a right check character (GB 11643), of somebody as old as the factory's donors."""
    born = born or f"{clock.today().year - 30}0508"
    body = f"110105{born}{serial:03d}"
    return body + CODES[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def who(serial=1, **fields):
    return identity_read(**{"name": "曾试验", "id_number": id_number(serial), "phones": "13800138000", **fields})


@pytest.fixture(autouse=True)
def everywhere(world):
    with scopes_disabled():
        yield


@pytest.fixture
def alice(world):
    return world.assignments["alice"]


@pytest.fixture
def at(monkeypatch):
    """`at(moment)` sets the clock; it goes on by a millisecond a question."""

    def set_to(moment):
        state = [moment]

        def now():
            state[0] += dt.timedelta(milliseconds=1)
            return state[0]

        monkeypatch.setattr(clock, "now", now)

    return set_to


def refused(call, *donors, kind=Refusal):
    before = tables(*donors)
    with pytest.raises(kind) as caught:
        call()
    assert tables(*donors) == before
    return caught.value


# ------------------------------------------------------------------ consents


def test_a_newer_consent_replaces_the_older_and_both_stay(world, alice):
    donor = stand(world.orgs["C1"], "enrolled")
    for version in ("2025.1", "2026.1"):
        services.consent_give(donor=donor, kind="publicity", text_version=version, actor=alice.uuid)
    rows = list(ConsentVersion.objects.filter(donor=donor, kind="publicity").order_by("given_at"))
    assert [row.text_version for row in rows] == ["2025.1", "2026.1"]
    assert rows[0].withdrawn_at is not None
    assert rows[1].withdrawn_at is None
    assert Event.objects.filter(subject=donor.pk, kind="donor.consent_given").count() == 2


@pytest.mark.parametrize(
    "status", ["lead", "enrolled", "sampled", "reflecting", "in_lab", "listed", "reserved", "deferred", "donated"]
)
def test_taking_back_the_consent_to_joining_retires_from_anywhere(world, alice, status):
    donor = stand(world.orgs["C1-1"], status)
    before = PendingChange.objects.count()
    services.consent_withdraw(donor=donor, kind="joining", actor=alice.uuid)
    assert fresh(donor).status == "retired"
    assert not ConsentVersion.objects.filter(donor=donor, kind="joining", withdrawn_at=None).exists()
    assert PendingChange.objects.count() > before
    assert open_deferrals(donor) == 0
    # Why is not asked: the code is "personal", and it is no fault of his.
    assert Event.objects.get(subject=donor.pk, kind="donor.retire").details["reason"] == "PR"


@pytest.mark.parametrize("kind", ["sample_kept", "genetic_data", "national_sharing", "publicity", "abroad"])
def test_taking_back_another_consent_leaves_the_donor_listed(world, alice, kind):
    donor = stand(world.orgs["C1"], "listed")
    services.consent_give(donor=donor, kind=kind, text_version="1", actor=alice.uuid)
    services.consent_withdraw(donor=donor, kind=kind, actor=alice.uuid)
    assert fresh(donor).status == "listed"


def test_what_was_not_given_is_not_taken_back(world, alice):
    donor = stand(world.orgs["C1"], "listed")
    answer = refused(lambda: services.consent_withdraw(donor=donor, kind="abroad", actor=alice.uuid), donor)
    assert answer.code == "consent.none"
    services.consent_withdraw(donor=donor, kind="joining", actor=alice.uuid)
    refused(lambda: services.consent_withdraw(donor=fresh(donor), kind="joining", actor=alice.uuid), donor)


@pytest.mark.parametrize("then", ["reserved", "deferred", "listed"])
@pytest.mark.parametrize("read", ["retired", "listed", "enrolled"])
def test_withdrawing_from_a_page_that_was_read_earlier(world, alice, read, then):
    """Somebody moved the donor meanwhile: his withdrawal counts all the same, and he is off the register."""
    donor = stand(world.orgs["C1"], then)
    donor.status = read
    services.consent_withdraw(donor=donor, kind="joining", actor=alice.uuid)
    assert fresh(donor).status == "retired"


# ------------------------------------------------------------------ deferrals


def test_a_deferral_ends_on_its_day_in_beijing(world, alice, at):
    morning = dt.datetime(2027, 3, 1, 10, tzinfo=clock.BEIJING)
    donor = stand(world.orgs["C1"], "listed")
    at(morning)
    values = {**said("defer"), "until": "2027-03-05"}
    transition_take(machine=DONOR, name="defer", rows=[donor], assignment=alice, values=values)
    at(dt.datetime(2027, 3, 4, 23, 59, 50, tzinfo=clock.BEIJING))
    assert services.deferrals_end() == 0
    assert fresh(donor).status == "deferred"
    # Midnight in Beijing: in Greenwich the fourth has eight hours to go.
    at(dt.datetime(2027, 3, 5, 0, 0, 1, tzinfo=clock.BEIJING))
    assert services.deferrals_end() == 1
    assert fresh(donor).status == "listed"
    assert open_deferrals(donor) == 0
    assert services.deferrals_end() == 0
    assert Event.objects.get(subject=donor.pk, kind="donor.reinstate").actor is None


def test_an_earlier_decision_ends_it_and_the_day_does_nothing_more(world, alice, at):
    donor = stand(world.orgs["C1"], "deferred")
    transition_take(machine=DONOR, name="reinstate", rows=[donor], assignment=alice)
    at(clock.now() + dt.timedelta(days=60))
    assert services.deferrals_end() == 0
    assert fresh(donor).status == "listed"


def test_a_second_deferral_waits_for_its_own_day(world, alice, at):
    donor = stand(world.orgs["C1"], "listed")
    today = clock.today()
    for days in (5, 50):
        values = {**said("defer"), "until": today + dt.timedelta(days=days)}
        transition_take(machine=DONOR, name="defer", rows=[fresh(donor)], assignment=alice, values=values)
        if days == 5:
            transition_take(machine=DONOR, name="reinstate", rows=[fresh(donor)], assignment=alice)
    at(clock.now() + dt.timedelta(days=10))
    services.deferrals_end()
    assert fresh(donor).status == "deferred"
    at(clock.now() + dt.timedelta(days=60))
    services.deferrals_end()
    assert fresh(donor).status == "listed"


def test_one_donor_somebody_moves_meanwhile_does_not_keep_the_others_deferred(world, monkeypatch, at):
    from xiangsui.programme.donors import services as module

    donors = [stand(world.orgs["C1"], "deferred") for _ in range(3)]
    at(clock.now() + dt.timedelta(days=60))
    taken = module.transition_take
    hit = []

    def race(**arguments):
        if not hit:
            hit.append(arguments["rows"][0])
            Donor.objects.filter(pk=hit[0].pk).update(status="retired")
            Deferral.objects.filter(donor=hit[0]).update(ended_at=clock.now())
        return taken(**arguments)

    monkeypatch.setattr(module, "transition_take", race)
    for _ in range(2):
        try:
            services.deferrals_end()
        except Refusal as refusal:
            pytest.fail(f"the job ends here: {refusal}")
    assert sorted(fresh(donor).status for donor in donors) == ["listed", "listed", "retired"]


# ------------------------------------------------------------------ age


def aged(world, place, age, status="listed"):
    donor = stand(world.orgs[place], status)
    Donor.objects.filter(pk=donor.pk).update(birth_year=clock.today().year - age)
    return fresh(donor)


@pytest.fixture
def nobody_old(world):
    """The world's own donors are young, so that only those of the test age out."""
    Donor.objects.update(birth_year=clock.today().year - 30)


@pytest.mark.parametrize("status", ["listed", "deferred"])
def test_beyond_the_age_of_the_rule_one_leaves(world, nobody_old, status):
    at_limit, beyond = aged(world, "C1", 55, status), aged(world, "C1", 56, status)
    while services.donors_age_out():
        pass
    assert fresh(at_limit).status == status
    assert fresh(beyond).status == "retired"
    assert open_deferrals(beyond) == 0
    event = Event.objects.get(subject=beyond.pk, kind="donor.retire")
    assert (event.details["reason"], event.actor) == ("DO", None)


def test_the_year_turns_in_beijing(world, nobody_old, at):
    donor = stand(world.orgs["C1"], "listed")
    Donor.objects.filter(pk=donor.pk).update(birth_year=2027 - 56)
    at(dt.datetime(2026, 12, 31, 23, 59, 0, tzinfo=clock.BEIJING))
    assert services.donors_age_out() == 0
    at(dt.datetime(2027, 1, 1, 0, 1, tzinfo=clock.BEIJING))
    assert services.donors_age_out() == 1


@pytest.mark.parametrize("limit", [50, 60])
def test_a_jurisdiction_has_its_own_rule(world, nobody_old, limit):
    rule_add(
        name="donor.listed_age_max", value=limit, valid_from=dt.date(2020, 1, 1), source="试验", organisation=world.orgs["C1"]
    )  # fmt: skip
    here = {age: aged(world, "C1-1", age) for age in (limit, limit + 1)}
    there = {age: aged(world, "C2", age) for age in (55, 56)}
    while services.donors_age_out():
        pass
    assert {age: fresh(donor).status for age, donor in here.items()} == {limit: "listed", limit + 1: "retired"}
    assert {age: fresh(donor).status for age, donor in there.items()} == {55: "listed", 56: "retired"}


def test_a_laxer_place_does_not_stand_in_front_of_the_others(world, nobody_old):
    """The service works in portions: those who may stay must not fill every one of them."""
    rule_add(
        name="donor.listed_age_max", value=60, valid_from=dt.date(2020, 1, 1), source="试验", organisation=world.orgs["C1"]
    )  # fmt: skip
    staying = factories.draft(world.orgs["C1"], typing=patient_gl())
    donors = services.donors_register(
        drafts=[factories.draft(world.orgs["C1"], typing=patient_gl()) for _ in range(510)] + [staying]
    )
    Donor.objects.filter(pk__in=[d.pk for d in donors]).update(birth_year=clock.today().year - 57)
    leaving = aged(world, "C2", 57)
    while services.donors_age_out():
        pass
    assert fresh(leaving).status == "retired"
    assert (
        Donor.objects.filter(organisation=world.orgs["C1"], birth_year=clock.today().year - 57, status="listed").count()
        == 511
    )


def test_one_donor_somebody_moves_meanwhile_does_not_keep_the_others_listed(world, nobody_old, monkeypatch):
    from xiangsui.programme.donors import services as module

    donors = [aged(world, "C1", 57) for _ in range(3)]
    taken, hit = module.transition_take, []

    def race(**arguments):
        if not hit:
            hit.append(arguments["rows"][0])
            Donor.objects.filter(pk=hit[0].pk).update(status="reserved")
        return taken(**arguments)

    monkeypatch.setattr(module, "transition_take", race)
    try:
        while services.donors_age_out():
            pass
    except Refusal as refusal:
        pytest.fail(f"the job ends here: {refusal}")
    assert sorted(fresh(donor).status for donor in donors) == ["reserved", "retired", "retired"]


# ------------------------------------------------------------------ transfers


@pytest.mark.parametrize("status", ["enrolled", "listed", "reserved", "deferred", "retired"])
def test_a_received_donor_moves_with_all_that_is_his(world, alice, status):
    bob = world.assignments["bob"]
    identity = who(7)
    donor = stand(world.orgs["C1-1"], status, identity=identity)
    held = stocks(donor)
    for kind, place in held:
        assert place == world.orgs["C1-1"].uuid, kind
    transfer = services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    assert fresh(donor).organisation == world.orgs["C1-1"], "asked is not received"
    assert donor not in selectors.donors_visible(assignment=bob)
    assert [one.pk for one in selectors.transfers_open(assignment=bob)] == [transfer.pk]
    assert [one.pk for one in selectors.transfers_open(assignment=alice)] == []
    services.transfer_decide(transfer=transfer, received=True, assignment=bob)
    assert fresh(donor).organisation == world.orgs["C2"]
    assert fresh(donor).person.organisation == world.orgs["C2"]
    assert fresh(donor).status == status
    assert donor in selectors.donors_visible(assignment=bob)
    assert donor not in selectors.donors_visible(assignment=alice)
    assert donor.person not in people_visible(tree=alice.tree)
    # A stock follows the state of today; what the state put into the old place is there no more.
    listed, available = status in {"listed", "reserved", "deferred"}, status == "listed"
    moved = {
        (e.kind, e.organisation): e.delta for e in Event.objects.filter(subject=donor.pk, kind__startswith="donors.")
        if e.recorded_at >= transfer.asked_at
    }  # fmt: skip
    wanted = {}
    for kind, inside in (("donors.listed", listed), ("donors.available", available)):
        if inside:
            wanted |= {(kind, world.orgs["C1-1"].uuid): -1, (kind, world.orgs["C2"].uuid): 1}
    assert moved == wanted
    # The receipt stands in both chains.
    told = Event.objects.filter(subject=donor.pk, kind__in=("donor.transfer_decided", "donor.received"))
    assert {event.chain for event in told} == {world.orgs["C1-1"].uuid, world.orgs["C2"].uuid}
    assert not list(ledger_verify())


def test_a_refused_donor_stays(world, alice):
    bob = world.assignments["bob"]
    donor = stand(world.orgs["C1"], "listed")
    transfer = services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    held = stocks(donor)
    services.transfer_decide(transfer=transfer, received=False, assignment=bob)
    assert fresh(donor).organisation == world.orgs["C1"]
    assert stocks(donor) == held
    for received in (True, False):
        answer = refused(
            lambda r=received: services.transfer_decide(transfer=transfer, received=r, assignment=bob), donor
        )
        assert answer.code == "transfer.decided"
    services.transfer_ask(donor=fresh(donor), target=world.orgs["C3"], assignment=alice)


@pytest.mark.parametrize("by", ["bob", "quinn", "carol", "tess", "nina", "lena", "adam"])
def test_only_whose_donor_it_is_may_offer_him(world, by):
    donor = stand(world.orgs["C1"], "listed")
    refused(
        lambda: services.transfer_ask(donor=donor, target=world.orgs["C3"], assignment=world.assignments[by]),
        donor,
        kind=NotAllowed,
    )


@pytest.mark.parametrize("by", ["alice", "quinn", "carol", "tess", "nina", "lena", "adam"])
def test_only_who_is_offered_may_receive(world, alice, by):
    donor = stand(world.orgs["C1"], "listed")
    transfer = services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    refused(
        lambda: services.transfer_decide(transfer=transfer, received=True, assignment=world.assignments[by]),
        donor,
        kind=NotAllowed,
    )
    assert Transfer.objects.get(pk=transfer.pk).decided_at is None


def test_one_offer_at_a_time_and_not_to_oneself(world, alice):
    donor = stand(world.orgs["C1"], "listed")
    assert refused(
        lambda: services.transfer_ask(donor=donor, target=world.orgs["C1"], assignment=alice), donor
    ).code == "transfer.target"  # fmt: skip
    services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    assert refused(
        lambda: services.transfer_ask(donor=donor, target=world.orgs["C3"], assignment=alice), donor
    ).code == "transfer.open"  # fmt: skip


@pytest.mark.parametrize("target", ["H1", "L1", "B1"])
def test_a_donor_is_handed_to_the_red_cross_only(world, alice, target):
    donor = stand(world.orgs["C1"], "listed")
    refused(lambda: services.transfer_ask(donor=donor, target=world.orgs[target], assignment=alice), donor)


def test_who_has_handed_him_over_cannot_do_it_again_from_an_old_page(world, alice):
    stale = stand(world.orgs["C1"], "listed")
    transfer = services.transfer_ask(donor=stale, target=world.orgs["C2"], assignment=alice)
    services.transfer_decide(transfer=transfer, received=True, assignment=world.assignments["bob"])
    refused(lambda: services.transfer_ask(donor=stale, target=world.orgs["C3"], assignment=alice), stale)


def test_a_consent_given_on_an_old_page_is_recorded_where_he_is(world, alice):
    stale = stand(world.orgs["C1"], "listed")
    transfer = services.transfer_ask(donor=stale, target=world.orgs["C2"], assignment=alice)
    services.transfer_decide(transfer=transfer, received=True, assignment=world.assignments["bob"])
    services.consent_withdraw(donor=stale, kind="joining", actor=alice.uuid)
    assert fresh(stale).status == "retired"
    assert stocks(stale) == {}


def test_a_closed_organisation_receives_nobody(world, alice):
    from xiangsui.foundation.orgs.services import organisation_close, organisation_open

    place = organisation_open(code="C9", name="临时站", kind=Kind.CITY, parent=world.orgs["P1"])
    donor = stand(world.orgs["C1"], "listed")
    transfer = services.transfer_ask(donor=donor, target=place, assignment=alice)
    organisation_close(organisation=place, on=clock.today())
    paula = world.assignments["paula"]
    refused(lambda: services.transfer_decide(transfer=transfer, received=True, assignment=paula), donor)


# ------------------------------------------------------------------ known already


@pytest.mark.parametrize("place", ["C1", "C1-1"])
def test_registered_here_is_said(world, place):
    factories.donor(world.orgs[place], identity=who(3))
    answer = refused(lambda: factories.donor(world.orgs["C1"], identity=who(3)))
    assert answer.code == "donor.registered"


def test_registered_elsewhere_is_said_alike_wherever_it_is(world):
    told = set()
    for serial, place in enumerate(("C2", "C3", "C3-1", "P2", "C2-1"), start=10):
        factories.donor(world.orgs[place], identity=who(serial))
        answer = refused(lambda s=serial: factories.donor(world.orgs["C1"], identity=who(s)), kind=NotAllowed)
        told.add((str(answer), answer.code, answer.status, repr(answer.params)))
        for code, organisation in world.orgs.items():
            assert organisation.name not in str(answer), code
    assert len(told) == 1, told


@pytest.mark.parametrize(
    "written",
    [
        lambda number: number.lower(),
        lambda number: f" {number[:6]} {number[6:14]} {number[14:]} ",
        lambda number: "".join(chr(ord(c) + 0xFEE0) for c in number),
    ],
)
def test_a_document_is_known_however_it_is_written(world, written):
    serial = next(n for n in range(1, 99) if id_number(n).endswith("X"))
    factories.donor(world.orgs["C2"], identity=who(serial))
    other = who(id_number=written(id_number(serial)), name="另一人", phones="13900139000")
    refused(lambda: factories.donor(world.orgs["C1"], identity=other), kind=NotAllowed)


def test_twice_in_one_batch_is_refused(world):
    drafts = [factories.draft(world.orgs["C1"], identity=who(21)) for _ in range(2)]
    assert refused(lambda: services.donors_register(drafts=drafts)).code == "donor.twice"
    # With other people in between, and under another name.
    drafts = [factories.draft(world.orgs["C1"], identity=who(n)) for n in (22, 23)]
    drafts.append(factories.draft(world.orgs["C1"], identity=who(22, name="改名")))
    before = Person.objects.count()
    refused(lambda: services.donors_register(drafts=drafts))
    assert Person.objects.count() == before


def test_one_known_person_stops_the_whole_batch(world):
    factories.donor(world.orgs["C3"], identity=who(31))
    drafts = [factories.draft(world.orgs["C1"], identity=who(n)) for n in (30, 31, 32)]
    before = Person.objects.count(), Donor.objects.count()
    refused(lambda: services.donors_register(drafts=drafts))
    assert (Person.objects.count(), Donor.objects.count()) == before


def test_people_without_a_document_are_not_each_others_twins(world):
    for _ in range(2):
        factories.donor(world.orgs["C1"], identity=identity_read(name="王试验"))


def test_a_pseudonym_has_nobody_behind_it(world, alice):
    donor = factories.donor(world.orgs["C1"])
    assert donor.person is None
    assert Person.objects.count() == 0
    transfer = services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    services.transfer_decide(transfer=transfer, received=True, assignment=world.assignments["bob"])
    assert fresh(donor).organisation == world.orgs["C2"]
    assert list(selectors.donors_found(assignment=world.assignments["bob"], text=donor.grid_print)) == [donor]


def test_somebody_known_who_is_no_donor_may_become_one(world):
    """A volunteer who recruits others is known by the same document; he is no donor yet."""
    from xiangsui.foundation.people.services import PersonDraft, persons_record

    [person] = persons_record(drafts=[PersonDraft(world.orgs["C1"], who(41))])
    donor = factories.donor(world.orgs["C1"], identity=who(41))
    assert donor.person == person


# ------------------------------------------------------------------ numbers, and sending twice


@pytest.mark.parametrize("number", ["123", "1234567890123", "12345678901X", "１２３", "abcdefghijkl", "12345678901 "])
def test_a_wrong_national_number(world, alice, number):
    assert refused(lambda: factories.donor(world.orgs["C1"], cmdp_number=number)).code == "donor.cmdp"
    donor = stand(world.orgs["C1"], "listed")
    answer = refused(
        lambda: services.national_entered(donor=donor, cmdp_number=number, on=clock.today(), actor=alice.uuid), donor
    )
    assert answer.code == "donor.cmdp"


def test_the_national_tick(world, alice):
    donor = stand(world.orgs["C1"], "listed")
    services.national_entered(donor=donor, cmdp_number="123456789012", on=dt.date(2026, 5, 8), actor=alice.uuid)
    now = fresh(donor)
    assert (now.cmdp_number, now.national_on) == ("123456789012", dt.date(2026, 5, 8))
    event = Event.objects.get(subject=donor.pk, kind="donor.national")
    assert (event.actor, event.details["on"]) == (alice.uuid, "2026-05-08")
    assert "123456789012" not in event.body, "a donor's number is no code for the ledger"
    assert list(selectors.donors_found(assignment=alice, text="123456789012")) == [donor]
    other = stand(world.orgs["C3"], "listed")
    answer = refused(
        lambda: services.national_entered(donor=other, cmdp_number="123456789012", on=clock.today(), actor=None), other
    )
    assert answer.code == "donor.cmdp_taken"
    assert donor.grid not in str(answer)


def test_many_without_a_national_number(world):
    drafts = [factories.draft(world.orgs["C1"], cmdp_number="") for _ in range(3)]
    assert {donor.cmdp_number for donor in services.donors_register(drafts=drafts)} == {None}


def test_sent_twice_is_registered_once_and_answered_in_order(world):
    drafts = [factories.draft(world.orgs["C1"], identity=who(50 + n), uuid=uuid.uuid4()) for n in range(3)]
    services.donors_register(drafts=[drafts[2]])
    people, donors, events = Person.objects.count(), Donor.objects.count(), Event.objects.count()
    answered = services.donors_register(drafts=drafts)
    assert [donor.pk for donor in answered] == [draft.uuid for draft in drafts]
    assert (Person.objects.count(), Donor.objects.count()) == (people + 2, donors + 2)
    again = Event.objects.count()
    assert again > events
    services.donors_register(drafts=drafts)
    assert Event.objects.count() == again


def test_one_draft_twice_in_a_batch_is_one_donor_or_told_so(world):
    draft = factories.draft(world.orgs["C1"])
    try:
        made = services.donors_register(drafts=[draft, draft])
    except Refusal as refusal:
        assert refusal.code != "donor.grid_taken", "no number is taken: the draft is there twice"
    else:
        assert {donor.pk for donor in made} == {draft.uuid}


@pytest.mark.parametrize(
    "fields",
    [
        {"registered_on": clock.today() + dt.timedelta(days=2)},
        {"identity": who(61), "birth_year": 2001},
    ],
    ids=["tomorrow", "a year of birth that is not the document's"],
)
def test_what_contradicts_itself_is_refused(world, fields):
    refused(lambda: factories.donor(world.orgs["C1"], **fields))


def test_a_registration_names_who_made_it(sign_in, world):
    from django.urls import reverse

    data = {"consent": "on", "sex": "M", "birth_year": "1999", "abo": "", "rhesus": "", "grid": "", "typing": patient_gl()}
    before = set(Donor.objects.values_list("pk", flat=True))
    answer = sign_in("alice").post(reverse("donors:new"), data)
    assert answer.status_code == 302
    [made] = set(Donor.objects.values_list("pk", flat=True)) - before
    actors = set(Event.objects.filter(subject=made).values_list("actor", flat=True))
    assert actors == {world.assignments["alice"].uuid}


def test_a_typing_names_who_recorded_it(sign_in, world):
    from django.urls import reverse

    donor = stand(world.orgs["C1"], "in_lab", typing="")
    before = Event.objects.filter(subject=donor.pk).count()
    answer = sign_in("alice").post(reverse("donors:typing", args=[donor.pk]), {"gl": patient_gl()})
    assert answer.status_code == 302
    made = list(Event.objects.filter(subject=donor.pk).order_by("recorded_at", "sequence"))[before:]
    assert made
    assert world.assignments["alice"].uuid in {event.actor for event in made}


# ------------------------------------------------------------------ finding


def test_found_by_every_token_and_only_in_ones_own(world, alice):
    identity = who(71, name="曾 小试", phones="13812345678、010-88886666")
    donor = factories.donor(world.orgs["C1-1"], identity=identity, cmdp_number="210987654321")
    ways = [
        donor.grid, donor.grid_print, donor.grid.lower(), "210987654321", "曾小试", " 曾 小试 ", "zengxiaoshi",
        "ZengXiaoShi", "zxs", "13812345678", "138 1234 5678", "+86 13812345678", "01088886666", "010-88886666", "5678",
        "6666", id_number(71), id_number(71).lower(),
    ]  # fmt: skip
    for text in ways:
        assert list(selectors.donors_found(assignment=alice, text=text)) == [donor], text
        for other in ("bob", "quinn"):
            assert not selectors.donors_found(assignment=world.assignments[other], text=text).exists(), text
        assert list(selectors.donors_found(assignment=world.assignments["paula"], text=text)) == [donor], text


@pytest.mark.parametrize(
    "text",
    ["", " ", "曾", "曾小", "zengxiao", "1381234", "567", "%", "_", "' OR 1=1 --", "\x00", "x" * 5000, "９" * 30],
)
def test_nothing_is_found_by_half_a_word(world, alice, text):
    factories.donor(world.orgs["C1"], identity=who(72, name="曾小试", phones="13812345678"))
    assert not selectors.donors_found(assignment=alice, text=text).exists()


def test_a_fifteen_digit_number_finds_its_bearer(world, alice):
    old = id_number(73)[:6] + id_number(73)[8:17]
    donor = factories.donor(world.orgs["C1"], identity=who(73, id_number=old))
    for text in (old, id_number(73)):
        assert list(selectors.donors_found(assignment=alice, text=text)) == [donor]


def test_after_a_transfer_only_the_new_place_finds_him(world, alice):
    bob = world.assignments["bob"]
    donor = factories.donor(world.orgs["C1"], identity=who(74, name="曾转移"))
    transfer = services.transfer_ask(donor=donor, target=world.orgs["C2"], assignment=alice)
    services.transfer_decide(transfer=transfer, received=True, assignment=bob)
    assert not selectors.donors_found(assignment=alice, text="曾转移").exists()
    assert list(selectors.donors_found(assignment=bob, text="曾转移")) == [donor]


def test_the_erased_are_found_by_number_only(world, alice):
    from xiangsui.foundation.people.services import person_erase

    donor = factories.donor(world.orgs["C1"], identity=who(75, name="曾删除"))
    person_erase(person=donor.person, actor=alice.uuid)
    assert not selectors.donors_found(assignment=alice, text="曾删除").exists()
    assert list(selectors.donors_found(assignment=alice, text=donor.grid)) == [donor]
    # The document is free again: nobody is remembered by it.
    factories.donor(world.orgs["C2"], identity=who(75))


# ------------------------------------------------------------------ figures


def test_whoever_came_in_at_once_has_no_waiting_time(world):
    """A donor registered with his typing was never waited for: the median of the others is the figure."""
    from xiangsui.foundation.indicators.selectors import figure
    from xiangsui.foundation.indicators.table import find

    factories.donor(world.orgs["C1"], typing=patient_gl())
    found = figure(
        indicator=find("donors.sample_to_listed"), organisation=world.orgs["C1"], occurred_until=clock.today()
    )
    assert found is None
