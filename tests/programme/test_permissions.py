"""Who may do what: every role at every kind of organisation, against a table written out by hand."""

import itertools

import pytest

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.programme.donors import permissions as donors
from xiangsui.programme.patients import permissions as patients

# role: the kinds of organisation at which it may.
RED_CROSS = ["nation", "province", "city", "county"]
TABLE = {
    donors.may_view: {"city_officer": RED_CROSS, "province_staff": RED_CROSS},
    donors.may_register: {"city_officer": RED_CROSS, "province_staff": RED_CROSS},
    patients.may_view: {"search_coordinator": ["hospital"], "province_staff": ["province", "nation"]},
    patients.may_submit: {"search_coordinator": ["hospital"]},
}


def test_the_table_names_no_invented_role_or_kind():
    for table in TABLE.values():
        assert set(table) <= set(Role.values)
        assert {kind for kinds in table.values() for kind in kinds} <= set(Kind.values)


@pytest.mark.parametrize("permission", TABLE, ids=lambda one: f"{one.__module__.split('.')[-2]}.{one.__name__}")
def test_each_role_at_each_kind(permission):
    wrong = []
    for role, kind in itertools.product(Role.values, Kind.values):
        term = Assignment(role=role, organisation=Organisation(kind=kind, path="0001", name=kind))
        expected = kind in TABLE[permission].get(role, [])
        if permission(term) != expected:
            wrong.append((role, kind, permission(term)))
    assert not wrong


def test_no_term_sees_donors_and_a_hospitals_patients_of_one_place():
    """One account never sees both sides at a hospital (domain: double-blind)."""
    for role in Role.values:
        term = Assignment(role=role, organisation=Organisation(kind=Kind.HOSPITAL, path="0001", name="x"))
        assert not (donors.may_view(term) and patients.may_view(term))
