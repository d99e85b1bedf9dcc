"""Who may search. A hospital's coordinator for its own patients; the registry's staff watch over requests below them."""

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.orgs.models import Kind


def may_view(assignment: Assignment) -> bool:
    """Coordinators of hospitals and the staff of province and nation see the requests below their organisation."""
    if assignment.role == Role.SEARCH_COORDINATOR:
        return assignment.organisation.kind == Kind.HOSPITAL
    return assignment.role == Role.PROVINCE_STAFF and assignment.organisation.kind in {Kind.PROVINCE, Kind.NATION}


def may_submit(assignment: Assignment) -> bool:
    """Only a hospital's coordinator asks for a search (MoH 2006: licensed hospitals are given searches)."""
    return assignment.role == Role.SEARCH_COORDINATOR and assignment.organisation.kind == Kind.HOSPITAL
