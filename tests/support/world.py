"""A small programme: a nation, two provinces, three cities, four counties, two hospitals, 300 donors and a cast.

Every name below a province is invented and looks like nothing else, so that a leak is found by searching for it.
The donors' identifiers are the same in every run: an index built once stays right when a test empties the database.
"""

from __future__ import annotations

import functools
import random
import uuid
from dataclasses import dataclass

from django.conf import settings
from django_scopes import scopes_disabled

from xiangsui.foundation.accounts.models import Assignment, User
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.foundation.orgs.services import organisation_open
from xiangsui.programme.donors.models import Abo, Donor, Rhesus, Sex, Status
from xiangsui.programme.donors.services import DonorDraft, donors_register
from xiangsui.programme.hla.models import PendingChange
from xiangsui.programme.hla.services import index_compact
from xiangsui.programme.patients.models import SearchRequest

from . import factories

DONORS = 300
TREE = (
    ("CN", "试验国家中心", Kind.NATION, None),
    ("P1", "东岭省分库", Kind.PROVINCE, "CN"),
    ("P2", "西泽省分库", Kind.PROVINCE, "CN"),
    ("C1", "青松市工作站", Kind.CITY, "P1"),
    ("C2", "白鹭市工作站", Kind.CITY, "P1"),
    ("C3", "赤枫市工作站", Kind.CITY, "P2"),
    ("C1-1", "松南县红十字会", Kind.COUNTY, "C1"),
    ("C1-2", "松北县红十字会", Kind.COUNTY, "C1"),
    ("C2-1", "鹭湾县红十字会", Kind.COUNTY, "C2"),
    ("C3-1", "枫溪县红十字会", Kind.COUNTY, "C3"),
    ("H1", "东岭移植医院", Kind.HOSPITAL, "P1"),
    ("H2", "西泽移植医院", Kind.HOSPITAL, "P2"),
    ("L1", "东岭配型实验室", Kind.LABORATORY, "P1"),
    ("B1", "青松中心血站", Kind.BLOOD_STATION, "C1"),
)
# username: (name, role, organisation). Alice owns the donors, Dora the patient; nobody else's business is theirs.
CAST = {
    "alice": ("艾丽思", Role.CITY_OFFICER, "C1"),
    "bob": ("鲍勃生", Role.CITY_OFFICER, "C2"),
    "carol": ("卡若琳", Role.SEARCH_COORDINATOR, "H2"),
    "dora": ("朵拉敏", Role.SEARCH_COORDINATOR, "H1"),
    "erin": ("艾琳娜", Role.SEARCH_COORDINATOR, "H1"),
    "paula": ("保拉英", Role.PROVINCE_STAFF, "P1"),
    "quinn": ("昆恩平", Role.PROVINCE_STAFF, "P2"),
    "tess": ("苔丝文", Role.LAB_TECHNICIAN, "C1"),
    "nina": ("尼娜芳", Role.STATION_NURSE, "B1"),
    "lena": ("莉娜华", Role.LEADER, "P1"),
    "adam": ("亚当明", Role.ADMINISTRATOR, "CN"),
}
COUNTIES = ("C1-1", "C1-2", "C2-1", "C3-1", "C1", "C2", "C3")
_NAMESPACE = uuid.UUID("0f8d2b0e-5a6c-5d1b-8c39-54c1c6f0a001")


def donor_id(name: str) -> uuid.UUID:
    """The identifier of a donor of the world, by its name or number."""
    return uuid.uuid5(_NAMESPACE, name)


def patient_gl() -> str:
    """The patient's typing: the two most frequent haplotypes that differ at every locus."""
    first, second = patient_haplotypes()
    return factories.gl_of(first, second)


@functools.cache
def patient_haplotypes() -> tuple[dict[str, str], dict[str, str]]:
    ranked = factories.haplotypes()
    first = ranked[0]
    return first, next(other for other in ranked if all(other[locus] != first[locus] for locus in first))


def nine_gl() -> str:
    """As the patient but for one HLA-A allele."""
    first, second = patient_haplotypes()
    taken = {first["A"], second["A"]}
    other = next(one["A"] for one in factories.haplotypes() if one["A"] not in taken)
    return factories.gl_of(first, {**second, "A": other})


def low_gl() -> str:
    """As the patient at low resolution, three loci."""
    first, second = patient_haplotypes()
    low = [{locus: name.split(":")[0] + ":XX" for locus, name in one.items()} for one in (first, second)]
    return factories.gl_of(*low, loci=("A", "B", "DRB1"))


def _named() -> dict[str, tuple[str, str, str]]:
    """Donors with a name: organisation, typing, status."""
    gl = patient_gl()
    return {
        "exact": ("C1-1", gl, Status.LISTED),
        "away": ("C3-1", gl, Status.LISTED),
        "nine": ("C2-1", nine_gl(), Status.LISTED),
        "low": ("C1-2", low_gl(), Status.LISTED),
        "reserved": ("C3-1", gl, Status.RESERVED),
        "retired": ("C1-1", gl, Status.RETIRED),
        "untyped": ("C1-1", "", Status.IN_LAB),
        "neighbour": ("C2", gl, Status.LISTED),
    }


def _drafts(places: dict[str, Organisation]) -> list[DonorDraft]:
    rng = random.Random(20261121)
    pool = factories.haplotypes()[:40]
    year = clock.today().year
    made = []
    wanted = [(name, place, gl) for name, (place, gl, _status) in _named().items()]
    for number in range(DONORS - len(wanted)):
        gl = factories.gl_of(rng.choice(pool), rng.choice(pool))
        wanted.append((str(number), rng.choice(COUNTIES), gl))
    for number, (name, place, gl) in enumerate(wanted):
        made.append(
            DonorDraft(
                uuid=donor_id(name),
                grid=numbering.grid(numbering.CMDP_ION, f"T{number:012d}"),
                organisation=places[place],
                sex=rng.choice(Sex.values),
                birth_year=year - rng.randint(19, 54),
                abo=rng.choice(Abo.values),
                rhesus=rng.choice(Rhesus.values),
                typing=gl,
            )
        )
    return made


@dataclass
class World:
    """The world as a test meets it; read fresh from the database for each."""

    orgs: dict[str, Organisation]
    users: dict[str, User]
    assignments: dict[str, Assignment]
    request: SearchRequest

    def donor(self, name: str) -> Donor:
        with scopes_disabled():
            return Donor.objects.select_related("organisation").get(pk=donor_id(name))

    def donors_below(self, code: str) -> set[uuid.UUID]:
        """By brute force: walks up from every donor."""
        with scopes_disabled():
            parents = {org.pk: org.get_parent() for org in self.orgs.values()}

            def within(org: Organisation | None) -> bool:
                return org is not None and (org.code == code or within(parents[org.pk]))

            by_pk = {org.pk: org for org in self.orgs.values()}
            return {d.pk for d in Donor.objects.all() if within(by_pk[d.organisation_id])}


def exists() -> bool:
    return Organisation.objects.filter(code="CN").exists()


def build() -> None:
    """Write the world; the index is built the first time only."""
    places: dict[str, Organisation] = {}
    for code, name, kind, parent in TREE:
        places[code] = organisation_open(code=code, name=name, kind=kind, parent=places.get(parent or ""))
    for username, (name, role, place) in CAST.items():
        factories.user((role, places[place]), username=username, name=name)
    with scopes_disabled():
        donors_register(drafts=_drafts(places))
        for name, (_place, _gl, status) in _named().items():
            Donor.objects.filter(pk=donor_id(name)).update(status=status)
        dora = Assignment.objects.select_related("user", "organisation").get(user__username="dora")
        factories.search_request(dora, patient_gl(), reference="DL-2026-07")
        if (settings.HLA_INDEX_DIR / "manifest.json").exists():
            PendingChange.objects.all().delete()
        else:
            index_compact()


def load() -> World:
    """The world out of the database; built where a test emptied it."""
    if not exists():
        build()
    terms = Assignment.objects.select_related("user", "organisation").filter(user__username__in=CAST)
    with scopes_disabled():
        request = SearchRequest.objects.select_related("organisation").get(reference="DL-2026-07")
    return World(
        orgs={org.code: org for org in Organisation.objects.all()},
        users={user.username: user for user in User.objects.all()},
        assignments={term.user.username: term for term in terms},
        request=request,
    )
