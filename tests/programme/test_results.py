"""The ranked list as people read it: pages, tabs, explanations, Excel; and nothing of who or where a donor is."""

import re
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from foundation.test_exports import read
from support import factories
from support.world import CAST, TREE, donor_id, patient_gl
from xiangsui.programme.donors.models import Donor
from xiangsui.programme.hla import selectors
from xiangsui.programme.patients import results
from xiangsui.programme.patients.models import SearchRequest

HOSPITALS_OWN = {"H1", "CN"}


@pytest.fixture
def dora(sign_in):
    return sign_in("dora")


@pytest.fixture
def url(world):
    return reverse("patients:detail", args=[world.request.uuid])


@pytest.fixture
def many(world):
    """So many donors that match that the list has three pages."""
    with scope(tree=world.orgs["CN"].path):
        factories.donors_register(
            drafts=[factories.draft(world.orgs["C3-1"], typing=patient_gl()) for _ in range(results.PAGE_SIZE * 2)]
        )


def hits():
    return selectors.search_donors(gl=patient_gl()).hits


def test_the_page_shows_the_hits_in_their_order(dora, url):
    listing = dora.get(url).context["listing"]
    assert [line.subject for line in listing.lines] == [selectors.subject_of(hit) for hit in hits()][
        : results.PAGE_SIZE
    ]
    assert [line.rank for line in listing.lines] == list(range(1, len(listing.lines) + 1))


def test_a_line_shows_what_the_card_holds(dora, url, world):
    page = dora.get(url).content.decode()
    for name in ("exact", "away", "reserved", "neighbour"):
        donor = world.donor(name)
        assert donor.grid_print in page
    assert "预留" in page
    listing = dora.get(url).context["listing"]
    line = next(line for line in listing.lines if line.subject == donor_id("away"))
    donor = world.donor("away")
    assert (line.card.age, line.card.sex, line.card.abo) == (donor.age, donor.sex, donor.abo)
    assert line.count_text == "10"


def test_pages_together_are_the_whole_list_once(dora, url, many):
    seen, page = [], url
    while page:
        listing = dora.get(page).context["listing"]
        assert len(listing.lines) <= results.PAGE_SIZE
        seen += [line.subject for line in listing.lines]
        page = listing.next_url and url + listing.next_url
    assert seen == [selectors.subject_of(hit) for hit in hits()]
    assert len(seen) > 2 * results.PAGE_SIZE
    assert len(seen) == len(set(seen))


def test_tabs_part_the_list_and_keep_the_ranks(dora, url):
    everything = hits()
    counts = 0
    for tab in ("ten", "nine", "unexplained"):
        listing = dora.get(url, {"tab": tab}).context["listing"]
        expected = [rank for rank, hit in enumerate(everything, 1) if selectors.category_of(hit) == tab]
        assert [rank for rank, _hit in listing.chosen] == expected
        assert [line.rank for line in listing.lines] == expected[: results.PAGE_SIZE]
        counts += len(expected)
    assert counts == len(everything)
    tabs = dora.get(url).context["listing"].tabs
    assert tabs[0]["count"] == f"{len(everything):,}"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=99999999999999",
        "page=x",
        "page=",
        "page=１",
        "page=²",
        "page=٣",
        "tab=nonsense",
        "tab=",
        "export=pdf",
        "page=1&page=2",
        "tab=ten&page=999",
    ],
)
def test_odd_addresses_show_a_page(dora, url, query):
    assert dora.get(f"{url}?{query}").status_code == 200


def test_an_empty_list_says_what_to_do(dora, world):
    """A tab without rows, and a patient whom nobody matches."""
    last = factories.haplotypes()[-1]
    with scope(tree=world.orgs["H1"].path):
        lonely = factories.search_request(world.assignments["dora"], factories.gl_of(last, last), reference="L-1")
    answer = dora.get(reverse("patients:detail", args=[lonely.uuid]))
    assert answer.status_code == 200
    if not answer.context["listing"].chosen:
        assert "没有找到" in answer.content.decode()


def test_an_empty_tab_does_not_say_that_nobody_was_found(dora, url):
    answer = dora.get(url, {"tab": "unexplained"})
    listing = answer.context["listing"]
    assert listing.answer.hits
    if not listing.chosen:
        assert "没有找到可能9/10以上相合的捐献者" not in answer.content.decode()


def test_htmx_gets_the_list_only(dora, url):
    fragment = dora.get(url, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in fragment
    assert "GRID" in fragment


def test_pages_that_answer_htmx_otherwise_say_so_to_caches(dora, url):
    """Without `Vary: HX-Request` the browser's back button shows the fragment instead of the page."""
    assert "HX-Request" in dora.get(url).get("Vary", "")
    assert "HX-Request" in dora.get(reverse("home")).get("Vary", "")


def test_patients_and_donors_are_kept_in_no_cache(dora, sign_in, url, world):
    """The next person at a ward's computer presses back after the sign-out."""
    for client, address in (
        (dora, url),
        (dora, reverse("patients:list")),
        (sign_in("alice"), reverse("donors:detail", args=[donor_id("exact")])),
    ):
        policy = client.get(address).get("Cache-Control", "")
        assert "no-store" in policy or "private" in policy, address


# ---------------------------------------------------------------- explanation


def test_a_line_explains_itself_in_words(dora, world):
    address = reverse("patients:explain", args=[world.request.uuid, donor_id("nine")])
    page = dora.get(address).content.decode()
    assert "正好有9个" in page
    assert "不合" in page or "不相合" in page
    for locus in ("A", "C", "B", "DRB1", "DQB1"):
        assert re.search(rf">{locus}</th>", page)
    fragment = dora.get(address, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in fragment
    assert "正好有9个" in fragment


@pytest.mark.parametrize("name", ["retired", "untyped", "no such donor"])
def test_a_donor_who_is_no_hit_has_no_explanation(dora, world, name):
    address = reverse("patients:explain", args=[world.request.uuid, donor_id(name)])
    assert dora.get(address).status_code == 404


def test_an_explanation_needs_the_request_not_only_the_donor(sign_in, world):
    address = reverse("patients:explain", args=[world.request.uuid, donor_id("exact")])
    for who in ("carol", "quinn"):
        assert sign_in(who).get(address).status_code == 404
    for who in ("alice", "bob", "tess", "nina", "lena", "adam"):
        assert sign_in(who).get(address).status_code == 403


def test_a_donor_who_vanishes_between_search_and_card_breaks_no_page(dora, url, monkeypatch):
    monkeypatch.setattr(results, "search_cards", lambda subjects: {})
    assert dora.get(url).status_code == 200
    assert dora.get(url, {"export": "xlsx"}).status_code == 200


# ---------------------------------------------------------------- Excel


def exported(client, url, **query):
    answer = client.get(url, {"export": "xlsx", **query})
    assert answer.status_code == 200
    _name, rows = read(answer.content)
    top = next(number for number, row in enumerate(rows) if "GRID" in row)
    return answer, rows[:top], rows[top], rows[top + 1 :]


def test_the_export_holds_the_whole_list(dora, url, world, many):
    answer, notes, header, rows = exported(dora, url)
    everything = hits()
    assert len(rows) == len(everything) > results.PAGE_SIZE
    column = {name: header.index(name) for name in header}
    with scopes_disabled():
        grids = dict(Donor.objects.values_list("pk", "grid"))
    for row, hit in zip(rows, everything, strict=True):
        assert row[column["GRID"]] == grids[selectors.subject_of(hit)]
        assert row[column["可能相合数（最多）"]] == hit.count_max
        assert row[column["可能相合数（最少）"]] == hit.count_min
        for name, value in (("P(10/10)", hit.p_10), ("P(9/10)", hit.p_9)):
            if value is None:
                assert row[column[name]] == ""
            else:
                assert row[column[name]] == pytest.approx(value, rel=1e-12, abs=1e-15)
    words = " ".join(str(cell) for row in notes for cell in row)
    assert "DL-2026-07" in words
    assert patient_gl() in words
    assert "演示" in words, "a synthetic frequency set is named as such"
    versions = selectors.search_donors(gl=patient_gl()).versions
    for key in ("frequency_set", "nomenclature", "index"):
        assert str(versions[key]) in words
    assert "匹配结果-DL-2026-07" in unquote(answer["Content-Disposition"])


def test_the_export_of_a_tab_holds_the_tab(dora, url):
    _answer, _notes, header, rows = exported(dora, url, tab="nine")
    assert {row[header.index("可能相合数（最多）")] for row in rows} == {9}


def test_a_reference_like_a_formula_stays_text(dora, world):
    data = {"reference": '=cmd|"/c calc"!A1', "gl": patient_gl()}
    location = dora.post(reverse("patients:new"), data)["Location"]
    _answer, notes, _header, _rows = exported(dora, location)
    assert any("=cmd" in str(cell) for row in notes for cell in row)


def test_too_long_an_export_is_refused_in_words(dora, url, monkeypatch):
    monkeypatch.setattr(results, "MAX_ROWS", 1)
    answer = dora.get(url, {"export": "xlsx"})
    assert answer.status_code == 400
    assert "不能直接导出" in answer.content.decode()


# ---------------------------------------------------------------- who and where


def test_nothing_of_a_donors_place_or_people_is_on_the_patients_side(dora, sign_in, url, world):
    """Pages, fragments and exports of the hospital, searched for every name of the tree and the cast."""
    foreign = [name for code, name, _kind, _parent in TREE if code not in HOSPITALS_OWN]
    foreign += [name for who, (name, _role, _place) in CAST.items() if who not in {"dora", "erin"}]
    foreign += [org.uuid.hex for code, org in world.orgs.items() if code not in HOSPITALS_OWN]
    explain = [reverse("patients:explain", args=[world.request.uuid, donor_id(n)]) for n in ("exact", "away", "nine")]
    for address in [
        url,
        f"{url}?tab=ten",
        *explain,
        reverse("patients:list"),
        reverse("home"),
        reverse("patients:new"),
    ]:
        for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
            page = dora.get(address, **headers).content.decode()
            assert not [name for name in foreign if name in page], address
    for address in (url, reverse("patients:list")):
        answer = dora.get(address, {"export": "xlsx"})
        _name, rows = read(answer.content)
        words = "\n".join(str(cell) for row in rows for cell in row)
        assert not [name for name in foreign if name in words]


def test_a_birth_year_is_not_told_as_such(dora, url, world):
    """The card gives an age; the year, the date of registration and the division stay in the register."""
    _answer, _notes, header, _rows = exported(dora, url)
    assert not [name for name in header if any(word in name for word in ("出生", "登记", "组织", "姓名", "电话"))]


def test_the_register_shows_nothing_of_patients(sign_in, world):
    alice = sign_in("alice")
    for address in (
        reverse("home"),
        reverse("donors:list"),
        reverse("donors:detail", args=[donor_id("exact")]),
    ):
        page = alice.get(address).content.decode()
        assert "DL-2026-07" not in page
        assert world.orgs["H1"].name not in page
        assert "朵拉敏" not in page


def test_the_list_of_requests_is_the_hospitals_own(sign_in, world):
    with scope(tree=world.orgs["H2"].path):
        factories.search_request(world.assignments["carol"], patient_gl(), reference="CA-1")
    for who, expected in (("dora", {"DL-2026-07"}), ("erin", {"DL-2026-07"}), ("carol", {"CA-1"}), ("quinn", {"CA-1"})):
        page = sign_in(who).get(reverse("patients:list"))
        assert {line["row"].reference for line in page.context["table"]} == expected
        _name, rows = read(sign_in(who).get(reverse("patients:list"), {"export": "xlsx"}).content)
        assert {row[0] for row in rows[1:]} == expected


def test_a_number_of_the_home_page_is_the_number_of_its_list(sign_in, world):
    for who in CAST:
        client = sign_in(who)
        for card in client.get(reverse("home")).context["cards"]:
            listed = client.get(card["url"])
            assert listed.status_code == 200
            assert listed.context["page"].total_text == card["value"], (who, card["label"])


def test_counts_are_written_as_they_are_read():
    def line(low, high):
        return results.Line(1, SimpleNamespace(count_min=low, count_max=high), None).count_text

    assert line(10, 10) == "10"
    assert line(8, 10) == "8–10"


def test_a_stored_request_holds_no_identity():
    names = {field.name for field in SearchRequest._meta.get_fields()}
    assert names == {"uuid", "organisation", "reference", "gl", "requested_by", "requested_at"}
