"""Who may see and keep the register. Patients' side never does: it meets donors only as search cards."""

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.orgs.models import Kind

_KEEPERS = {Role.CITY_OFFICER, Role.PROVINCE_STAFF}
_RED_CROSS = {Kind.NATION, Kind.PROVINCE, Kind.CITY, Kind.COUNTY}


def may_view(assignment: Assignment) -> bool:
    """Officers and staff of the Red Cross see the donors below their organisation."""
    return assignment.role in _KEEPERS and assignment.organisation.kind in _RED_CROSS


def may_register(assignment: Assignment) -> bool:
    """Officers and staff of the Red Cross register donors and record typings."""
    return assignment.role in _KEEPERS and assignment.organisation.kind in _RED_CROSS
