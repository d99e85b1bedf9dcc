"""Nobody reads what lies outside his organisation: selectors, aggregates, joins, prefetches and foreign keys."""

import pytest
from django.db.models import Count, F, Max, Prefetch, Q, Subquery
from django.http import Http404
from django_scopes import ScopeError, scope, scopes_disabled

from support import factories
from support.world import CAST, donor_id
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.programme.donors import selectors as donors
from xiangsui.programme.donors.models import Donor, Typing
from xiangsui.programme.patients import selectors as patients
from xiangsui.programme.patients.models import SearchRequest

SCOPED = (Donor, Typing, SearchRequest)


@pytest.fixture
def alice(world):
    term = world.assignments["alice"]
    with scope(tree=term.tree):
        yield term


@pytest.mark.parametrize("model", SCOPED)
@pytest.mark.parametrize(
    "ask",
    [
        lambda m: list(m.objects.all()),
        lambda m: m.objects.count(),
        lambda m: m.objects.filter(pk=donor_id("exact")).exists(),
        lambda m: m.objects.aggregate(Max("pk")),
        lambda m: m.objects.values_list("pk", flat=True).first(),
        lambda m: m.objects.update(),
    ],
)
def test_a_query_without_a_scope_raises(world, model, ask):
    with pytest.raises(ScopeError):
        ask(model)


@pytest.mark.parametrize("who", CAST)
def test_visible_donors_are_those_below_by_brute_force(world, who):
    term = world.assignments[who]
    expected = world.donors_below(term.organisation.code)
    with scope(tree=term.tree):
        seen = set(donors.donors_visible(assignment=term).values_list("pk", flat=True))
        assert seen == expected
        assert set(Donor.objects.values_list("pk", flat=True)) == expected
        assert Donor.objects.count() == len(expected)
    assert expected or term.organisation.kind in {"hospital", "laboratory", "blood_station"}


def test_aggregates_count_the_scope_only(world, alice):
    mine = world.donors_below("C1")
    assert Donor.objects.aggregate(n=Count("pk"))["n"] == len(mine)
    assert Typing.objects.aggregate(n=Count("donor", distinct=True))["n"] == len(mine) - 1  # one has no typing
    by_org = Donor.objects.values("organisation__code").annotate(n=Count("pk"))
    assert {row["organisation__code"] for row in by_org} <= {"C1", "C1-1", "C1-2"}


def test_joins_do_not_reach_out(world, alice):
    away = donor_id("neighbour")
    assert not Typing.objects.filter(donor_id=away).exists()
    assert not Donor.objects.filter(pk=away).exists()
    assert not Donor.objects.filter(typings__donor=away).exists()
    assert not Donor.objects.filter(Q(pk=away) | Q(typings__donor__pk=away)).exists()
    assert not Donor.objects.exclude(organisation__code__startswith="C1").exists()
    assert Donor.objects.filter(pk__in=Subquery(Donor.objects.values("pk"))).count() == len(world.donors_below("C1"))
    assert not Donor.objects.annotate(other=F("organisation__path")).filter(other__startswith=world.orgs["C2"].path)


def test_unions_and_combined_querysets_stay_inside(world, alice):
    mine = world.donors_below("C1")
    both = Donor.objects.filter(sex="F") | Donor.objects.filter(sex="M")
    assert set(both.values_list("pk", flat=True)) == mine
    union = Donor.objects.filter(sex="F").union(Donor.objects.filter(sex="M"))
    assert {donor.pk for donor in union} == mine


def test_reverse_keys_and_prefetches_stay_inside(world, alice):
    outsider = world.donor("neighbour")  # as an object that got hold of by other means
    assert list(outsider.typings.all()) == []
    assert outsider.typings.count() == 0
    fetched = list(Donor.objects.prefetch_related("typings", Prefetch("typings", Typing.objects.all(), to_attr="own")))
    assert {typing.donor_id for donor in fetched for typing in donor.typings.all()} <= world.donors_below("C1")


def test_a_service_given_a_foreign_donor_writes_nothing(world, alice):
    outsider = world.donor("neighbour")
    with pytest.raises(Donor.DoesNotExist):
        factories.typing(outsider, "A*02:01")
    with scopes_disabled():
        assert outsider.typings.count() == 1


def test_organisations_do_not_lead_back_to_persons(world, alice):
    names = {field.name for field in Organisation._meta.get_fields()}
    assert not {name for name in names if "donor" in name or "search" in name}


def test_one_request_is_found_by_its_hospital_and_its_province_only(world):
    for who in CAST:
        term = world.assignments[who]
        with scope(tree=term.tree):
            if who in {"dora", "erin", "paula", "lena", "adam"}:
                assert patients.request_get(assignment=term, request_id=world.request.uuid) == world.request
                assert patients.requests_count(assignment=term) == 1
            else:
                with pytest.raises(Http404):
                    patients.request_get(assignment=term, request_id=world.request.uuid)
                assert patients.requests_count(assignment=term) == 0


def test_a_sibling_whose_path_begins_alike_is_another_scope(world):
    """Paths are steps of one length, so no organisation's path begins another's but its ancestors'."""
    paths = {org.code: org.path for org in world.orgs.values()}
    for code, path in paths.items():
        for other, longer in paths.items():
            if longer.startswith(path) and code != other:
                assert world.orgs[other].is_descendant_of(world.orgs[code])


def test_cards_hold_no_place_and_no_identity(world):
    cards = donors.search_cards([donor_id("away"), donor_id("exact")])
    assert set(cards) == {donor_id("away"), donor_id("exact")}
    for card in cards.values():
        fields = set(vars(card)) | {name for name in dir(card) if not name.startswith("_")}
        assert not {name for name in fields if any(word in name for word in ("org", "name", "place", "birth", "city"))}
        for org in world.orgs.values():
            assert org.name not in repr(card)
