"""The invented organisations and sign-ins. Provinces bear their real names; everything below them is invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django_scopes import scopes_disabled

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.accounts.services import user_open
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.foundation.orgs.services import organisation_open
from xiangsui.programme.patients.selectors import requests_visible
from xiangsui.programme.patients.services import request_submit

# Known to everybody who reads the code, and refused under production settings.
PASSWORD = "xiangsui-demo"  # noqa: S105
_OPENED = dt.date(2003, 5, 8)

# (code, name, kind, parent's code, weight of its donors)
_TREE = (
    ("CN", "中国造血干细胞捐献者资料库（演示）", Kind.NATION, "", 0),
    ("ZJ", "浙江省分库（演示）", Kind.PROVINCE, "CN", 0),
    ("JX", "江西省分库（演示）", Kind.PROVINCE, "CN", 0),
    ("ZJ-YC", "云澄市工作站（虚构）", Kind.CITY, "ZJ", 5),
    ("ZJ-YC-01", "澄江区红十字会（虚构）", Kind.COUNTY, "ZJ-YC", 9),
    ("ZJ-YC-02", "望湖县红十字会（虚构）", Kind.COUNTY, "ZJ-YC", 4),
    ("ZJ-YC-03", "青桐县红十字会（虚构）", Kind.COUNTY, "ZJ-YC", 2),
    ("ZJ-LH", "临禾市工作站（虚构）", Kind.CITY, "ZJ", 4),
    ("ZJ-LH-01", "禾城区红十字会（虚构）", Kind.COUNTY, "ZJ-LH", 5),
    ("JX-FY", "枫阳市工作站（虚构）", Kind.CITY, "JX", 4),
    ("JX-FY-01", "石溪县红十字会（虚构）", Kind.COUNTY, "JX-FY", 3),
    ("H-YC1", "云澄大学附属第一医院（虚构）", Kind.HOSPITAL, "ZJ", 0),
    ("H-FY1", "枫阳市人民医院（虚构）", Kind.HOSPITAL, "JX", 0),
)


@dataclass(frozen=True)
class SignIn:
    """A demonstration account."""

    username: str
    name: str
    role: str
    organisation: str


SIGN_INS = (
    SignIn("coordinator", "检索协调员甲", Role.SEARCH_COORDINATOR, "H-YC1"),
    SignIn("coordinator2", "检索协调员乙", Role.SEARCH_COORDINATOR, "H-FY1"),
    SignIn("officer", "市级干事甲", Role.CITY_OFFICER, "ZJ-YC"),
    SignIn("officer2", "市级干事乙", Role.CITY_OFFICER, "ZJ-LH"),
    SignIn("province", "省分库业务员", Role.PROVINCE_STAFF, "ZJ"),
    SignIn("leader", "红十字会领导", Role.LEADER, "ZJ"),
    SignIn("admin", "系统管理员", Role.ADMINISTRATOR, "CN"),
)


@transaction.atomic
def world_open() -> dict[str, Organisation]:
    """Open the organisations and the accounts; what stands already stays as it is. Returns organisations by code."""
    organisations: dict[str, Organisation] = {}
    for code, name, kind, parent, _weight in _TREE:
        organisations[code] = organisation_open(
            code=code, name=name, kind=kind, parent=organisations.get(parent), on=_OPENED
        )
    for who in SIGN_INS:
        user_open(
            username=who.username,
            name=who.name,
            password=PASSWORD,
            assignments=[(who.role, organisations[who.organisation])],
            is_demo=True,
        )
    return organisations


# A frequent pair of haplotypes, one typed at low resolution, and one that no donor may match.
_EXAMPLES = (
    (
        "演示-常见",
        "A*30:01+A*02:07^C*06:02+C*01:02^B*13:02+B*46:01^DRB1*07:01+DRB1*09:01^DQB1*02:02+DQB1*03:03",
    ),
    ("演示-低分辨", "A*33:XX+A*11:XX^B*58:XX+B*46:XX^DRB1*03:XX+DRB1*09:XX"),
    (
        "演示-罕见",
        "A*30:01+A*33:03^C*01:02+C*06:02^B*58:01+B*46:01^DRB1*07:01+DRB1*03:01^DQB1*03:03+DQB1*02:01",
    ),
)


def examples_open() -> None:
    """A few patients' searches of the first hospital, so that its coordinator finds work; never twice."""
    assignment = Assignment.objects.select_related("user", "organisation").get(user__username="coordinator")
    with scopes_disabled():
        known = set(requests_visible(assignment=assignment).values_list("reference", flat=True))
        for reference, gl in _EXAMPLES:
            if reference not in known:
                request_submit(assignment=assignment, reference=reference, gl=gl)


def donor_weights() -> dict[str, int]:
    """Organisation code → share of the demonstration's donors."""
    return {code: weight for code, _name, _kind, _parent, weight in _TREE if weight}
