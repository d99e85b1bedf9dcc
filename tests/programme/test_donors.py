"""The register: registering, numbers, typings that supersede each other, and what the search is told."""

import datetime as dt
import re
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from support import factories
from support.world import patient_gl
from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.programme.donors.models import Donor, Status, Typing
from xiangsui.programme.donors.services import donors_register, typing_record
from xiangsui.programme.hla.models import PendingChange

GRID = numbering.grid("2197", "TEST000000001")


@pytest.fixture
def place(world):
    with scope(tree=world.orgs["C1"].path):
        yield world.orgs["C1"]


def pending():
    return list(PendingChange.objects.order_by("pk").values_list("subject", flat=True))


def test_with_a_typing_a_donor_is_listed_and_the_search_told(place):
    donor = factories.donor(place, typing=patient_gl())
    assert donor.status == Status.LISTED
    assert pending() == [donor.pk]
    typing = donor.typings.get()
    assert (typing.number, typing.current, typing.gl) == (1, True, patient_gl())


def test_without_a_typing_a_donor_is_enrolled_and_not_searched(place):
    donor = factories.donor(place)
    assert donor.status == Status.ENROLLED
    assert pending() == []
    assert numbering.grid_is_valid(donor.grid)


def test_a_batch_is_all_or_nothing(place):
    before = Donor.objects.count()
    with pytest.raises(Refusal):
        donors_register(drafts=[factories.draft(place), factories.draft(place, typing="A*02")])
    assert Donor.objects.count() == before
    assert pending() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"grid": GRID[:-1] + ("0" if GRID[-1] != "0" else "1")}, "donor.grid"),
        ({"grid": "123"}, "donor.grid"),
        ({"birth_year": 1899}, "donor.birth_year"),
        ({"birth_year": clock.today().year + 1}, "donor.birth_year"),
        ({"typing": "A*02:01+A*11:01+A*24:02"}, "typing.too_many_alleles"),
        ({"typing": "A*99:99"}, "typing.unknown_allele"),
        ({"typing": "nonsense"}, "typing.bad_name"),
    ],
)
def test_what_cannot_be_is_refused(place, fields, code):
    before = Donor.objects.count()
    with pytest.raises(Refusal) as caught:
        factories.donor(place, **fields)
    assert caught.value.code == code
    assert Donor.objects.count() == before


def test_a_taken_grid_is_refused_wherever_it_is_taken(world, place):
    taken = world.donor("away").grid
    with pytest.raises(Refusal) as caught:
        factories.donor(place, grid=taken)
    assert caught.value.code == "donor.grid_taken"
    assert world.orgs["C3-1"].name not in str(caught.value)
    with pytest.raises(Refusal):
        donors_register(drafts=[factories.draft(place, grid=GRID), factories.draft(place, grid=GRID)])


@pytest.mark.parametrize("written", [numbering.grid_print(GRID), GRID.lower(), GRID[:4] + "-" + GRID[4:]])
def test_a_grid_is_kept_in_one_form(place, written):
    """Otherwise the same donor could be registered twice, and PostgreSQL refuses the longer text."""
    assert factories.donor(place, grid=written).grid == GRID


def test_a_device_that_sends_twice_registers_once(place):
    """The UUID made on the device is the idempotency key (architecture, mechanism 4)."""
    draft = factories.draft(place, uuid=uuid.uuid4(), grid=GRID)
    first = donors_register(drafts=[draft])
    try:
        again = donors_register(drafts=[draft])
    except Refusal as refusal:
        pytest.fail(f"the second sending was refused: {refusal}")
    assert [donor.pk for donor in again] == [donor.pk for donor in first]


def test_a_new_typing_supersedes_and_keeps_the_last(place):
    donor = factories.donor(place, typing="A*02:01+A*11:01")
    second = typing_record(donor=donor, gl=patient_gl())
    rows = list(donor.typings.order_by("number").values_list("number", "gl", "current"))
    assert rows == [(1, "A*02:01+A*11:01", False), (2, patient_gl(), True)]
    assert second.number == 2
    assert pending() == [donor.pk, donor.pk]


def test_a_first_typing_lists_the_donor_who_waits_in_the_laboratory(place):
    donor = factories.donor(place)
    Donor.objects.filter(pk=donor.pk).update(status=Status.IN_LAB)
    typing_record(donor=donor, gl=patient_gl())
    donor.refresh_from_db()
    assert donor.status == Status.LISTED
    assert pending() == [donor.pk]


@pytest.mark.parametrize("status", [Status.DEFERRED, Status.RETIRED, Status.RESERVED, Status.DONATED, Status.LEAD])
def test_a_typing_lists_nobody_who_is_not_waiting_for_it(place, status):
    donor = factories.donor(place)
    Donor.objects.filter(pk=donor.pk).update(status=status)
    donor.refresh_from_db()
    typing_record(donor=donor, gl=patient_gl())
    donor.refresh_from_db()
    assert donor.status == status


def test_a_donor_who_left_meanwhile_is_not_listed_by_a_typing(place):
    """The officer's page was read before the donor withdrew: the row under the lock decides, not the old copy."""
    stale = factories.donor(place)
    Donor.objects.filter(pk=stale.pk).update(status=Status.RETIRED)
    typing_record(donor=stale, gl=patient_gl())
    assert Donor.objects.get(pk=stale.pk).status == Status.RETIRED


def test_a_refused_typing_changes_nothing(place):
    donor = factories.donor(place, typing="A*02:01+A*11:01")
    before = pending()
    with pytest.raises(Refusal):
        typing_record(donor=donor, gl="A*02:01+A*99:99")
    assert donor.typings.count() == 1
    assert pending() == before


def test_one_current_typing_is_the_databases_word(place):
    donor = factories.donor(place, typing="A*02:01+A*11:01")
    with pytest.raises(IntegrityError), transaction.atomic():
        Typing.objects.create(donor=donor, number=2, gl="A*02:01", recorded_at=clock.now(), current=True)


def test_a_rolled_back_registration_leaves_no_change(place):
    def interrupted():
        with transaction.atomic():
            factories.donor(place, typing=patient_gl())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert pending() == []


def test_age_is_of_the_calendar_year(place, monkeypatch):
    donor = factories.donor(place, birth_year=1990)
    monkeypatch.setattr(clock, "today", lambda: dt.date(2026, 1, 1))
    assert donor.age == 36


# ---------------------------------------------------------------- pages


def test_registering_on_the_page(sign_in, world):
    alice = sign_in("alice")
    answer = alice.post(
        reverse("donors:new"),
        {
            "consent": "on",
            "sex": "M",
            "birth_year": "1999",
            "abo": "A",
            "rhesus": "+",
            "grid": f" {numbering.grid_print(GRID)} ",
            "typing": f"{patient_gl()[:20]}\n {patient_gl()[20:]}",
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    with scopes_disabled():
        donor = Donor.objects.get(grid=GRID)
        assert donor.organisation == world.orgs["C1"]
        assert donor.typings.get().gl == patient_gl()
    page = alice.get(answer["Location"]).content.decode()
    assert donor.grid_print in page
    assert patient_gl() in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("grid", "123"),
        ("birth_year", "99"),
        ("birth_year", "2099"),
        ("birth_year", "二〇〇〇"),
        ("sex", "X"),
        ("typing", "A*02"),
        ("typing", "A*99:99"),
        ("typing", "\x00"),
    ],
)
def test_an_error_stands_beside_its_field(sign_in, field, value):
    data = {"consent": "on", "sex": "M", "birth_year": "1999", "abo": "", "rhesus": "", "grid": "", "typing": "", field: value}
    answer = sign_in("alice").post(reverse("donors:new"), data)
    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]


def test_a_taken_grid_stands_beside_its_field(sign_in, world):
    data = {"consent": "on", "sex": "M", "birth_year": "1999", "abo": "", "rhesus": "", "grid": world.donor("away").grid, "typing": ""}
    answer = sign_in("alice").post(reverse("donors:new"), data)
    assert list(answer.context["form"].errors) == ["grid"]


def test_full_width_characters_of_an_input_method_are_read(sign_in):
    data = {
        "sex": "M",
        "consent": "on",
        "birth_year": "１９９９",
        "abo": "",
        "rhesus": "",
        "grid": "",
        "typing": "Ａ＊０２：０１＋Ａ＊１１：０１",
    }
    answer = sign_in("alice").post(reverse("donors:new"), data)
    assert answer.status_code == 302, answer.context["form"].errors


def test_sex_is_chosen_and_not_left_as_it_stands(sign_in):
    page = sign_in("alice").get(reverse("donors:new")).content.decode()
    chosen = re.search(r'<select name="sex".*?</select>', page, re.S)
    first = re.search(r'<option value="([^"]*)"', chosen[0])[1] if chosen else ""
    assert first == ""
    assert "checked" not in page


def test_a_donor_cannot_be_a_child(sign_in):
    data = {"consent": "on", "sex": "M", "birth_year": str(clock.today().year), "abo": "", "rhesus": "", "grid": "", "typing": ""}
    assert sign_in("alice").post(reverse("donors:new"), data).status_code == 400


def test_recording_a_typing_on_the_page(sign_in, world):
    donor = world.donor("untyped")
    alice = sign_in("alice")
    wrong = alice.post(reverse("donors:typing", args=[donor.pk]), {"gl": "A*02"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (400, ["gl"])
    answer = alice.post(reverse("donors:typing", args=[donor.pk]), {"gl": patient_gl()})
    assert answer.status_code == 302
    assert world.donor("untyped").status == Status.LISTED


@pytest.mark.parametrize("who", ["bob", "quinn", "carol", "tess", "nina", "lena", "adam"])
def test_nobody_else_records_a_typing(sign_in, world, who):
    donor = world.donor("untyped")
    assert sign_in(who).post(reverse("donors:typing", args=[donor.pk]), {"gl": patient_gl()}).status_code in {403, 404}
    with scopes_disabled():
        assert not donor.typings.exists()


# ---------------------------------------------------------------- the list


def shown(answer):
    return [line["row"].pk for line in answer.context["table"]]


def test_the_list_pages_through_exactly_ones_own(sign_in, world):
    alice, seen, url = sign_in("alice"), [], reverse("donors:list")
    while url:
        answer = alice.get(url)
        seen += shown(answer)
        url = answer.context["next_url"] and reverse("donors:list") + answer.context["next_url"]
    assert len(seen) == len(set(seen))
    assert set(seen) == world.donors_below("C1")


def test_filters_and_sorting_keep_to_the_scope(sign_in, world):
    alice = sign_in("alice")
    answer = alice.get(reverse("donors:list"), {"sex": "F", "sort": "-birth_year"})
    years = [line["row"].birth_year for line in answer.context["table"]]
    assert years == sorted(years, reverse=True)
    assert {line["row"].sex for line in answer.context["table"]} == {"F"}
    assert set(shown(answer)) <= world.donors_below("C1")


def test_a_donor_is_found_by_grid_however_it_is_written_but_only_ones_own(sign_in, world):
    alice = sign_in("alice")
    own, foreign = world.donor("exact"), world.donor("neighbour")
    assert shown(alice.get(reverse("donors:list"), {"grid": own.grid_print.lower()})) == [own.pk]
    answer = alice.get(reverse("donors:list"), {"grid": foreign.grid})
    assert shown(answer) == []


def test_a_filter_without_result_offers_to_clear_it(sign_in):
    alice = sign_in("alice")
    for query in ({"grid": "2197"}, {"status": "donated"}):
        answer = alice.get(reverse("donors:list"), query)
        assert shown(answer) == []
        assert answer.context["filtered"], query


@pytest.mark.parametrize(
    "query",
    [
        {"status": "nonsense"},
        {"sort": "organisation__path"},
        {"sort": "--grid"},
        {"page": "nonsense"},
        {"page": "bm9uc2Vuc2U"},
        {"sort": "grid", "page": "WyJuIiwyLDNd"},
        {"grid": "x" * 500},
        {"grid": "\x00"},
        {"export": "nonsense"},
        {"sex": "M", "abo": "Z"},
    ],
)
def test_odd_addresses_are_answered(sign_in, query):
    assert sign_in("alice").get(reverse("donors:list"), query).status_code in {200, 400}


def test_a_cursor_of_another_sorting_is_no_fault(sign_in):
    alice = sign_in("alice")
    first = alice.get(reverse("donors:list"), {"sort": "birth_year"})
    cursor = first.context["page"].next
    assert cursor
    for sort in ("grid", "-registered_on", "-birth_year"):
        assert alice.get(reverse("donors:list"), {"sort": sort, "page": cursor}).status_code in {200, 400}


def test_the_export_holds_what_the_list_shows(sign_in, world):
    from foundation.test_exports import read

    answer = sign_in("alice").get(reverse("donors:list"), {"export": "xlsx", "sex": "F"})
    _name, rows = read(answer.content)
    with scopes_disabled():
        expected = {d.grid_print for d in Donor.objects.filter(pk__in=world.donors_below("C1"), sex="F")}
    assert {row[0] for row in rows[1:]} == expected
    assert {row[1] for row in rows[1:]} <= {world.orgs[code].name for code in ("C1", "C1-1", "C1-2")}


def test_nobody_is_registered_whose_consent_nobody_declared(sign_in):
    data = {"sex": "M", "birth_year": "1999", "abo": "", "rhesus": "", "grid": "", "typing": ""}
    with scopes_disabled():
        before = Donor.objects.count()
        answer = sign_in("alice").post(reverse("donors:new"), data)
        assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["consent"])
        assert Donor.objects.count() == before
