"""People through services and selectors: who sees whom, what a reading leaves behind, merging, contacts, erasure."""

import contextlib
import datetime as dt
import json
import uuid

import pytest
from django.db import connection
from django.db.models import Count, Max
from django.test.utils import CaptureQueriesContext
from django_scopes import ScopeError, scope, scopes_disabled

from support import factories
from support.people import id_number, identities, identity, person
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.orgs.services import organisations_merge
from xiangsui.foundation.people import selectors, services
from xiangsui.foundation.people.identity import identity_read
from xiangsui.foundation.people.models import Person, PersonTie, SecondContact
from xiangsui.foundation.people.selectors import people_found, people_visible, twins_of
from xiangsui.foundation.privacy.models import DataKey, LookupToken
from xiangsui.foundation.privacy.services import Damaged, vault_open

pytestmark = pytest.mark.django_db

READER = uuid.UUID(int=99)


@pytest.fixture
def tree():
    """A nation, two provinces, three cities; read fresh, as paths change."""
    nation = factories.organisation(code="N")
    codes = {"N": nation}
    for code, parent in (("P1", "N"), ("P2", "N"), ("C1", "P1"), ("C2", "P1"), ("C3", "P2")):
        codes[code] = factories.organisation(Organisation.objects.get(code=parent), code=code)
    return {code: Organisation.objects.get(code=code) for code in codes}


def later(reason, **options):
    return pytest.mark.xfail(strict=True, reason=reason, **options)


def events(kind=None):
    found = Event.objects.filter(kind__startswith="person.")
    return found.filter(kind=kind) if kind else found


def stored(one):
    with scopes_disabled():
        return Person.objects.select_related("organisation").get(pk=one.pk)


# ---------------------------------------------------------------- recording


def test_a_batch_is_sealed_and_found(tree):
    wanted = list(identities(30))
    people = services.persons_record(drafts=[services.PersonDraft(tree["C1"], one) for one in wanted])
    assert [services.identities_open(people=people)[row.pk] for row in people] == wanted
    for row, one in zip(people, wanted, strict=True):
        for word in (one.name, one.id_number, one.phones[0]):
            assert row in people_found(tree=tree["C1"].path, text=word), word
            assert word.encode() not in bytes(row.sealed)


def test_a_batch_costs_few_queries(tree):
    drafts = [services.PersonDraft(tree["C1"], one) for one in identities(100)]
    with CaptureQueriesContext(
        connection,
    ) as few:
        services.persons_record(drafts=drafts[:50])
    with CaptureQueriesContext(connection) as many:
        services.persons_record(drafts=drafts[50:])
    assert len(few) == len(many) <= 12


def test_an_empty_batch_is_nothing(tree):
    assert services.persons_record(drafts=[]) == []


def test_a_draft_of_a_device_sent_twice_is_one_person(tree):
    draft = services.PersonDraft(tree["C1"], identity())
    [first] = services.persons_record(drafts=[draft])
    [again] = services.persons_record(drafts=[draft])
    assert first == again


def test_a_changed_person_is_found_anew_and_leaves_one_event(tree):
    one = person(tree["C1"])
    services.person_change(person=one, identity=identity("张白鹭", number=2), actor=READER)
    path = tree["C1"].path
    assert not people_found(tree=path, text="张青松").exists()
    assert not people_found(tree=path, text=id_number(1)).exists()
    assert people_found(tree=path, text="张白鹭").get() == one
    assert services.identities_open(people=[stored(one)])[one.pk].name == "张白鹭"
    assert events("person.changed").get().actor == READER
    assert not list(ledger_verify())


# ---------------------------------------------------------------- who sees whom


def seen(tree, code):
    return set(people_visible(tree=tree[code].path))


def test_scope_is_the_tree(tree):
    people = {code: person(tree[code]) for code in ("N", "P1", "C1", "C2", "C3")}
    assert seen(tree, "N") == set(people.values())
    assert seen(tree, "P1") == {people["P1"], people["C1"], people["C2"]}
    assert seen(tree, "C1") == {people["C1"]}
    assert seen(tree, "P2") == {people["C3"]}


@pytest.mark.parametrize(
    ("begins", "ends", "visible"),
    [(0, None, True), (-5, 5, True), (0, 0, True), (-5, 0, True), (1, None, False), (-5, -1, False), (-9, -9, False)],
)
def test_a_tie_shows_a_person_between_its_days(tree, begins, ends, visible):
    one = person(tree["C1"])
    today = clock.today()
    services.person_tie(
        person=one,
        organisation=tree["C3"],
        role="collection",
        actor=READER,
        valid_from=today + dt.timedelta(days=begins),
        valid_until=None if ends is None else today + dt.timedelta(days=ends),
    )
    assert (one in seen(tree, "C3")) is (one in seen(tree, "P2")) is visible
    assert people_found(tree=tree["C3"].path, text="张青松").exists() is visible
    assert one not in seen(tree, "C2")


def test_two_ties_of_different_days_do_not_add_up(tree):
    """A tie of the right place but over, and one of another place and running: together they show nothing."""
    one = person(tree["C1"])
    today = clock.today()
    past = {"valid_from": today - dt.timedelta(days=9), "valid_until": today - dt.timedelta(days=1)}
    services.person_tie(person=one, organisation=tree["C3"], role="collection", actor=None, **past)
    services.person_tie(person=one, organisation=tree["C2"], role="collection", actor=None)
    assert one not in seen(tree, "C3")
    assert one in seen(tree, "C2")


def test_a_person_tied_twice_is_one_row(tree):
    one = person(tree["C1"])
    for code in ("C3", "P2"):
        services.person_tie(person=one, organisation=tree[code], role="collection", actor=None)
    visible = people_visible(tree=tree["N"].path)
    assert list(visible) == [one]
    assert visible.count() == 1
    assert visible.aggregate(n=Count("pk"))["n"] == 1


def test_an_outsider_learns_nothing_from_any_form_of_question(tree):
    one = person(tree["C1"])
    services.person_tie(person=one, organisation=tree["C2"], role="collection", actor=None)
    visible = people_visible(tree=tree["C3"].path)
    assert not visible.exists()
    assert visible.count() == 0
    assert visible.aggregate(last=Max("recorded_at"), n=Count("pk")) == {"last": None, "n": 0}
    assert visible.filter(pk=one.pk).first() is None
    assert list(visible.values("sealed", "organisation__name", "ties__organisation__name")) == []
    assert list(visible.annotate(n=Count("ties")).values_list("n")) == []
    assert list(visible.prefetch_related("ties", "second_contacts")) == []
    assert visible.filter(ties__organisation=tree["C2"]).count() == 0
    assert Organisation.objects.filter(pk__in=visible.values("organisation")).count() == 0
    assert selectors.masked(people=list(visible)) == {}
    for text in ("张青松", "zhangqingsong", "zqs", id_number(1), "19900000001", "0001"):
        assert not people_found(tree=tree["C3"].path, text=text).exists(), text
        assert people_found(tree=tree["C1"].path, text=text).exists(), text


@pytest.mark.parametrize(
    "text", ["", " ", "%", "_", "*", "'; DROP TABLE people_person; --", "\0", "x" * 5_000, "张", "1990"]
)
def test_a_search_that_means_nothing_finds_nothing(tree, text):
    person(tree["C1"])
    assert list(people_found(tree=tree["N"].path, text=text)) == []


def test_reading_without_a_scope_is_refused(tree):
    person(tree["C1"])
    for model in (Person, PersonTie, SecondContact):
        for question in ("count", "exists", "first"):
            with pytest.raises(ScopeError):
                getattr(model.objects.all(), question)()


def test_a_scope_is_a_path(tree):
    one = person(tree["C1"])
    with scope(tree=tree["C1"].path):
        assert Person.objects.get() == one
    with scope(tree=tree["C3"].path):
        assert not Person.objects.exists()


def test_a_sibling_whose_path_begins_alike_is_another(tree):
    """The paths of siblings differ at a fixed width: the tenth must not lie below the first."""
    cities = [factories.organisation(Organisation.objects.get(code="P1")) for _number in range(40)]
    one = person(cities[-1])
    assert [city for city in cities if one in people_visible(tree=city.path)] == [cities[-1]]


def test_the_merged_and_the_erased_are_not_found(tree):
    one, other = person(tree["C1"]), person(tree["C1"], identity("张青松", number=2))
    services.person_erase(person=other, actor=None)
    assert list(people_found(tree=tree["C1"].path, text="张青松")) == [one]


def test_a_search_costs_one_query(tree, django_assert_num_queries):
    people = services.persons_record(drafts=[services.PersonDraft(tree["C1"], one) for one in identities(40)])
    with django_assert_num_queries(1):
        found = list(people_found(tree=tree["C1"].path, text="19900000001"))
        assert all(row.organisation.name for row in found)
    with django_assert_num_queries(1):
        assert len(selectors.masked(people=people)) == 40


# ---------------------------------------------------------------- twins


def test_twins_are_found_across_jurisdictions(tree):
    one = person(tree["C3"])
    assert not people_found(tree=tree["C1"].path, text=id_number(1)).exists()
    [twin] = twins_of(identity=identity())
    assert twin.person == one
    assert twin.reasons == ("id", "phone", "name")


def test_the_same_document_goes_before_phone_and_name(tree):
    by_phone = person(tree["C2"], identity_read(name="李白鹭", phones="19900000001"))
    by_both = person(tree["C2"], identity_read(name="张青松", phones="19900000001"))
    by_id = person(tree["C3"], identity_read(name="王赤枫", id_number=id_number(1)))
    person(tree["C2"], identity_read(name="张青松"))  # a name alone says nothing
    person(tree["C2"], identity_read(name="张青松", phones="19900009999"))
    assert [twin.person for twin in twins_of(identity=identity())] == [by_id, by_both, by_phone]


def test_a_number_of_another_kind_is_another_document(tree):
    person(tree["C1"], identity_read(name="李白鹭", id_kind="passport", id_number="12345678"))
    assert twins_of(identity=identity_read(name="王赤枫", id_kind="taiwan", id_number="12345678")) == []


def test_the_erased_are_nobodys_twin(tree):
    one = person(tree["C3"])
    services.person_erase(person=one, actor=None)
    assert twins_of(identity=identity()) == []


def test_fifteen_digits_are_the_same_person(tree):
    one = person(tree["C3"])
    number = id_number(1)
    old = identity_read(name="王赤枫", id_number=number[:6] + number[8:17])
    assert [twin.person for twin in twins_of(identity=old)] == [one]


def test_already_registered_says_nothing_of_where_or_who(tree):
    person(tree["C3"])
    answer = services.registered_elsewhere()
    assert isinstance(answer, NotAllowed)
    assert (answer.status, answer.code, answer.params) == (409, "person.elsewhere", {})
    for word in ("张", "青松", tree["C3"].name, tree["P2"].name, id_number(1)):
        assert word not in str(answer)
    assert str(answer) == str(services.registered_elsewhere())


def test_looking_for_twins_costs_the_same_wherever_they_are(tree):
    """The same questions to the database whether the twin is here, far away, tied or erased; nothing to time."""
    asked = set()
    for number, code in enumerate(("C1", "C2", "C3", "N"), 10):
        one = person(tree[code], identity("张青松" + "一二三四"[number - 10], number=number))
        if code == "C2":
            services.person_tie(person=one, organisation=tree["C1"], role="collection", actor=None)
        with CaptureQueriesContext(connection) as queries:
            assert len(twins_of(identity=identity("张青松" + "一二三四"[number - 10], number=number))) == 1
        asked.add(tuple(query["sql"].split(" WHERE ")[0] for query in queries))
    assert len(asked) == 1


# ---------------------------------------------------------------- reading


def test_a_reveal_leaves_exactly_one_event(tree):
    one = person(tree["C1"])
    before = Event.objects.count()
    found = services.person_reveal(person=one, reason="contact", actor=READER, organisation=tree["P1"])
    assert found == identity()
    assert Event.objects.count() == before + 1
    event = events("person.revealed").get()
    assert (event.subject, event.actor, event.organisation) == (one.pk, READER, tree["C1"].uuid)
    assert event.details == {"reason": "contact", "reader": str(tree["P1"].uuid)}
    assert not list(ledger_verify())


@pytest.mark.parametrize("reason", ["", "curiosity", "联系本人", None])
def test_a_reveal_without_a_reason_is_refused_and_leaves_nothing(tree, reason):
    one = person(tree["C1"])
    before = Event.objects.count()
    with pytest.raises(Refusal) as refusal:
        services.person_reveal(person=one, reason=reason, actor=READER, organisation=tree["P1"])
    assert refusal.value.code == "person.reason"
    assert Event.objects.count() == before


def test_a_masked_list_leaves_nothing(tree):
    people = services.persons_record(drafts=[services.PersonDraft(tree["C1"], one) for one in identities(20)])
    before = Event.objects.count()
    shown = selectors.masked(people=people)
    assert len(shown) == 20
    for one, row in zip(identities(20), people, strict=True):
        assert one.id_number not in repr(shown[row.pk])
        assert one.phones[0] not in repr(shown[row.pk])
        assert one.name not in repr(shown[row.pk])
    assert Event.objects.count() == before


@later("the service takes any person: whoever calls it must have looked")
def test_a_reader_out_of_scope_cannot_reveal(tree):
    one = person(tree["C3"])
    with pytest.raises(Refusal):
        services.person_reveal(person=one, reason="contact", actor=READER, organisation=tree["C1"])


def test_an_identity_does_not_print_itself():
    one = identity()
    assert one.name not in repr(one)
    assert one.id_number not in repr(one)


# ---------------------------------------------------------------- second contacts


@pytest.fixture
def unscoped():
    with scopes_disabled():
        yield


def test_second_contacts_are_sealed(tree, unscoped):
    one = person(tree["C1"])
    services.second_contacts_put(
        person=one, contacts=[("程念慈", "199 1999 9999/0571-87654321", "mother"), ("程远", "", "")]
    )
    raw = b"".join(bytes(row.sealed) for row in SecondContact.objects.all())
    for word in ("程念慈", "19919999999", "mother", "程远"):
        assert word.encode() not in raw
        assert json.dumps(word).strip('"').encode() not in raw
    assert services.second_contacts_open(person=one) == [
        ("程念慈", ("19919999999", "057187654321"), "mother"),
        ("程远", (), ""),
    ]
    for text in ("程念慈", "19919999999", "9999"):  # nobody is found by the contacts
        assert not people_found(tree=tree["N"].path, text=text).exists()


def test_second_contacts_are_replaced_as_a_whole(tree, unscoped):
    one = person(tree["C1"])
    for name in ("甲", "乙"):
        services.second_contacts_put(person=one, contacts=[(name, "", "")])
    assert [name for name, _phones, _relation in services.second_contacts_open(person=one)] == ["乙"]


@pytest.mark.parametrize("phone", ["19900000001", "+86 199-0000-0001", "0571-87654321/19900000001"])
def test_the_persons_own_number_is_no_second_contact(tree, unscoped, phone):
    one = person(tree["C1"])
    with pytest.raises(Refusal) as refusal:
        services.second_contacts_put(person=one, contacts=[("程远", phone, "")])
    assert refusal.value.code == "contact.own_phone"
    assert not SecondContact.objects.exists()


def test_a_wrong_second_contact_leaves_the_old_ones(tree, unscoped):
    one = person(tree["C1"])
    services.second_contacts_put(person=one, contacts=[("程远", "19919999999", "")])
    with pytest.raises(Refusal):
        services.second_contacts_put(person=one, contacts=[("程念慈", "12", "")])
    assert [name for name, _phones, _relation in services.second_contacts_open(person=one)] == ["程远"]


def test_a_contact_put_on_another_person_does_not_open(tree, unscoped):
    one, other = person(tree["C1"]), person(tree["C1"], identity("李白鹭", number=2))
    services.second_contacts_put(person=one, contacts=[("程远", "", "")])
    SecondContact.objects.update(person=other)
    with pytest.raises(Damaged):
        services.second_contacts_open(person=other)


def test_the_services_work_without_a_scope_of_the_callers(tree):
    one = person(tree["C1"])
    services.second_contacts_put(person=one, contacts=[("程远", "19919999999", "")])
    assert len(services.second_contacts_open(person=one)) == 1


def test_reading_second_contacts_leaves_one_event(tree, unscoped):
    one = person(tree["C1"])
    services.second_contacts_put(person=one, contacts=[("程远", "19919999999", "")])
    before = Event.objects.count()
    services.second_contacts_open(person=one)
    assert Event.objects.count() == before + 1


# ---------------------------------------------------------------- merging


def test_merging_rewrites_nothing_and_can_be_undone(tree):
    one, into = person(tree["C1"]), person(tree["C1"], identity("张青松", number=2))
    before = bytes(stored(one).sealed), DataKey.objects.count(), LookupToken.objects.count()
    services.person_merge(person=one, into=into, actor=READER)
    assert stored(one).merged_into_id == into.pk
    assert (bytes(stored(one).sealed), DataKey.objects.count(), LookupToken.objects.count()) == before
    services.person_unmerge(person=one, actor=READER)
    assert stored(one).merged_into_id is None
    assert [event.kind for event in events().order_by("sequence")] == ["person.merged", "person.unmerged"]
    assert not list(ledger_verify())


@pytest.mark.parametrize(
    "case", ["itself", "merged already", "into a merged one", "erased", "into an erased one", "a circle"]
)
def test_what_cannot_be_merged_is_refused(tree, case):
    a, b, c = (person(tree["C1"], identity("张青松", number=number)) for number in (1, 2, 3))
    if case == "itself":
        pair = a, a
    elif case == "merged already":
        services.person_merge(person=a, into=b, actor=None)
        pair = a, c
    elif case == "into a merged one":
        services.person_merge(person=b, into=c, actor=None)
        pair = a, b
    elif case == "a circle":
        services.person_merge(person=a, into=b, actor=None)
        pair = b, a
    else:
        services.person_erase(person=a, actor=None)
        pair = (a, b) if case == "erased" else (b, a)
    before = Event.objects.count()
    with pytest.raises(Refusal) as refusal:
        services.person_merge(person=pair[0], into=pair[1], actor=None)
    assert refusal.value.code == "person.merge"
    assert Event.objects.count() == before


def test_what_was_not_merged_cannot_be_undone(tree):
    one = person(tree["C1"])
    with pytest.raises(Refusal) as refusal:
        services.person_unmerge(person=one, actor=None)
    assert refusal.value.code == "person.not_merged"
    assert not events().exists()


@later("lists show a merged person beside the one he was merged into")
def test_a_merged_person_is_found_once_as_the_one_he_is(tree):
    one, into = person(tree["C1"]), person(tree["C1"], identity("张青松", number=2))
    services.person_merge(person=one, into=into, actor=READER)
    assert list(people_found(tree=tree["C1"].path, text="张青松")) == [into]


# ---------------------------------------------------------------- erasure


def test_an_erasure_is_for_good_and_the_ledger_stays_whole(tree):
    one, other = person(tree["C1"]), person(tree["C1"], identity("李白鹭", number=2))
    services.person_reveal(person=one, reason="contact", actor=READER, organisation=tree["C1"])
    with scopes_disabled():
        services.second_contacts_put(person=one, contacts=[("程远", "19919999999", "")])
    services.person_erase(person=one, actor=READER)
    assert stored(one).erased_at is not None
    assert services.identities_open(people=[stored(one), other]).keys() == {other.pk}
    assert selectors.masked(people=[stored(one)]) == {}
    assert not DataKey.objects.filter(pk=one.pk).exists()
    assert not LookupToken.objects.filter(subject=one.pk).exists()
    for text in ("张青松", "zqs", id_number(1), "19900000001", "0001"):
        assert not people_found(tree=tree["N"].path, text=text).exists()
    assert not list(ledger_verify())
    assert events("person.erased").get().subject == one.pk
    assert events("person.revealed").exists()  # what happened stays
    with pytest.raises(Refusal) as refusal:
        services.person_reveal(person=stored(one), reason="contact", actor=READER, organisation=tree["C1"])
    assert refusal.value.code == "person.erased"
    assert one.pk not in vault_open(family=services.FAMILY, subjects=[one.pk])


def test_an_erasure_touches_nobody_else(tree):
    people = services.persons_record(drafts=[services.PersonDraft(tree["C1"], one) for one in identities(10)])
    services.person_erase(person=people[3], actor=None)
    assert services.identities_open(people=people).keys() == {row.pk for row in people} - {people[3].pk}


def test_erasing_twice_leaves_one_event(tree):
    one = person(tree["C1"])
    services.person_erase(person=one, actor=None)
    first = stored(one).erased_at
    with contextlib.suppress(Refusal):
        services.person_erase(person=stored(one), actor=None)
    assert stored(one).erased_at == first
    assert events("person.erased").count() == 1


@pytest.mark.parametrize("what", ["change", "contacts", "read contacts"])
def test_what_an_erased_person_no_longer_bears_is_refused_with_words(tree, unscoped, what):
    one = person(tree["C1"])
    services.second_contacts_put(person=one, contacts=[("程远", "19919999999", "")])
    services.person_erase(person=one, actor=None)
    with pytest.raises(Refusal):
        if what == "change":
            services.person_change(person=one, identity=identity(), actor=None)
        elif what == "contacts":
            services.second_contacts_put(person=one, contacts=[("程念慈", "", "")])
        else:
            services.second_contacts_open(person=one)


def test_erasing_a_person_erases_what_was_merged_into_him(tree):
    one, into = person(tree["C1"]), person(tree["C1"], identity("张青松", number=1, phones="19900000009"))
    services.person_merge(person=one, into=into, actor=None)
    try:
        services.person_erase(person=into, actor=None)
    except Refusal:
        return  # to refuse and say why is an answer too
    assert not people_found(tree=tree["N"].path, text=id_number(1)).exists()
    assert services.identities_open(people=[one]) == {}


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_an_erasure_reaches_every_row_of_a_chain_of_mergers(tree, asked):
    rows = [person(tree["C1"], identity("张青松", number=number)) for number in (1, 2, 3)]
    services.person_merge(person=rows[0], into=rows[1], actor=None)
    services.person_merge(person=rows[1], into=rows[2], actor=None)
    services.person_erase(person=stored(rows[asked]), actor=None)
    assert services.identities_open(people=[stored(row) for row in rows]) == {}


@pytest.mark.parametrize("asked", [0, 1])
def test_an_erasure_reaches_the_row_one_was_merged_into(tree, asked):
    rows = [person(tree["C1"], identity("张青松", number=number)) for number in (1, 2)]
    services.person_merge(person=rows[0], into=rows[1], actor=None)
    services.person_erase(person=stored(rows[asked]), actor=None)
    assert services.identities_open(people=[stored(row) for row in rows]) == {}
    assert events("person.erased").count() == 2
    assert not list(ledger_verify())


# ---------------------------------------------------------------- people of an organisation that was merged


def merged_home(tree):
    one = person(tree["C1"])
    organisations_merge(sources=[tree["C1"]], successor=tree["C2"], on=clock.today())
    return stored(one), Organisation.objects.get(code="C2")


def test_a_successor_sees_the_people_of_a_merged_organisation(tree):
    one, successor = merged_home(tree)
    assert one in people_visible(tree=successor.path)
    assert people_found(tree=successor.path, text="张青松").exists()


@pytest.mark.parametrize("what", ["reveal", "change", "erase", "tie"])
def test_the_people_of_a_merged_organisation_go_on(tree, what):
    one, successor = merged_home(tree)
    if what == "reveal":
        services.person_reveal(person=one, reason="contact", actor=READER, organisation=successor)
    elif what == "change":
        services.person_change(person=one, identity=identity(), actor=READER)
    elif what == "erase":
        services.person_erase(person=one, actor=READER)
    else:
        services.person_tie(person=one, organisation=tree["C3"], role="collection", actor=READER)
    assert not list(ledger_verify())


# ---------------------------------------------------------------- ties


def test_a_tie_is_an_event_without_words(tree):
    one = person(tree["C1"])
    services.person_tie(person=one, organisation=tree["C3"], role="collection", actor=READER)
    assert events("person.tied").get().details == {"organisation": str(tree["C3"].uuid), "role": "collection"}


def test_a_tie_that_ends_before_it_begins_is_refused_with_words(tree):
    today = clock.today()
    with pytest.raises(Refusal):
        services.person_tie(
            person=person(tree["C1"]), organisation=tree["C3"], role="collection", actor=None,
            valid_from=today, valid_until=today - dt.timedelta(days=1),
        )  # fmt: skip
