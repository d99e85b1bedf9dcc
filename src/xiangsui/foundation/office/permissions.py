"""Who may read and keep what the foundation holds."""

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.orgs.models import Kind

_RED_CROSS = {Kind.NATION, Kind.PROVINCE, Kind.CITY, Kind.COUNTY}


def may_read(assignment: Assignment) -> bool:
    """Everybody of the Red Cross reads rules, workflows and organisations; the patients' side has no business there."""
    return assignment.organisation.kind in _RED_CROSS


def may_read_figures(assignment: Assignment) -> bool:
    """Figures are for those who answer for them, down to the county."""
    return may_read(assignment) and assignment.role in {
        Role.CITY_OFFICER,
        Role.PROVINCE_STAFF,
        Role.LEADER,
        Role.ADMINISTRATOR,
    }


def may_read_ledger(assignment: Assignment) -> bool:
    """The story of a subject, within one's organisation."""
    return may_read(assignment) and assignment.role in {
        Role.CITY_OFFICER,
        Role.PROVINCE_STAFF,
        Role.ADMINISTRATOR,
    }


def may_add_rule(assignment: Assignment) -> bool:
    """An administrator sets rules for his organisation and all below it; of the nation, for the whole programme."""
    return assignment.role == Role.ADMINISTRATOR and assignment.organisation.kind in {Kind.NATION, Kind.PROVINCE}


def may_confirm(assignment: Assignment, needs: str) -> bool:
    """A physician confirms medical rules, a member of the supervisory side legal ones (domain.md §0)."""
    wanted = {"physician": Role.COLLECTION_CLINICIAN, "lawyer": Role.FINANCE}.get(needs)
    return wanted is not None and assignment.role == wanted
