"""The invented organisations and sign-ins. Provinces bear their real names; everything below them is invented."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.accounts.services import user_open
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.foundation.orgs.services import organisation_open

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


def donor_weights() -> dict[str, int]:
    """Organisation code → share of the demonstration's donors."""
    return {code: weight for code, _name, _kind, _parent, weight in _TREE if weight}
