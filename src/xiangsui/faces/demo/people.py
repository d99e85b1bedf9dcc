"""Donors drawn from a seed: the same number gives the same donors, every one invented."""

from __future__ import annotations

import datetime as dt
import random
import uuid

from stdnum.cn import ric

from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.people.identity import Identity, IdKind
from xiangsui.programme.donors.codes import Abo, Consent, Rhesus, Sex
from xiangsui.programme.donors.services import DonorDraft
from xiangsui.programme.hla.selectors import sample_genotypes

from .world import donor_weights

SEED = 20260916  # a World Marrow Donor Day
_NAMESPACE = uuid.UUID("6f1d9b52-8d5a-5c5e-9e0b-2b7d3a0c9a10")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Common surnames and characters of given names, put together by chance: nobody is meant.
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢"
_GIVEN = "安宁远清和明朗晓晨雨林嘉文思源子涵志诚雅静若溪一帆海峰春晖秋实乐天景行云舒书瑶梓轩欣然永健立新国梁建华小雪"
# Region codes and a telephone prefix that nobody was given.
_REGION, _PREFIX = 990_000, "154"
# What a donor's laboratory reported: most five loci, some only three at low resolution, some ambiguous.
_KINDS = (("five", 70), ("ambiguous", 18), ("low", 11), ("outside", 1))


def donor_uuid(number: int) -> uuid.UUID:
    """The identifier of the demonstration's donor of that number: a second build finds the first one's rows."""
    return uuid.uuid5(_NAMESPACE, str(number))


def drafts(*, start: int, count: int, organisations: dict[str, Organisation]) -> list[DonorDraft]:
    """Donors number `start` to `start + count - 1`."""
    genotypes = sample_genotypes(count=count, seed=SEED + start)
    others = sample_genotypes(count=count, seed=SEED + start + 1)
    weights = donor_weights()
    made = []
    for offset, genotype in enumerate(genotypes):
        rng = random.Random(f"{SEED}:{start + offset}")
        age = int(rng.triangular(19, 55, 29))
        registered = clock.today() - dt.timedelta(days=int(365 * min(age - 18.5, rng.expovariate(0.22)) + 1))
        code = rng.choices(list(weights), list(weights.values()))[0]
        kind = rng.choices([k for k, _ in _KINDS], [w for _, w in _KINDS])[0]
        identifier = "".join(rng.choice(_CROCKFORD) for _ in range(13))
        made.append(
            DonorDraft(
                uuid=donor_uuid(start + offset),
                grid=numbering.grid(numbering.CMDP_ION, identifier),
                organisation=organisations[code],
                sex=rng.choices([Sex.MALE, Sex.FEMALE], [55, 45])[0],
                birth_year=clock.today().year - age,
                abo=rng.choices([Abo.A, Abo.B, Abo.O, Abo.AB], [28, 28, 34, 9])[0],
                rhesus=rng.choices([Rhesus.POSITIVE, Rhesus.NEGATIVE], [995, 5])[0],
                typing=_typing(genotype, others, kind, rng),
                identity=_identity(rng, clock.today().year - age, start + offset),
                consents=(Consent.JOINING, Consent.GENETIC_DATA, Consent.NATIONAL_SHARING),
                registered_on=registered,
            )
        )
    return made


def _identity(rng: random.Random, year: int, number: int) -> Identity:
    """Somebody invented: a name by chance, a document of a region that does not exist, a telephone nobody has."""
    name = rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))
    born = dt.date(year, rng.randint(1, 12), rng.randint(1, 28))
    document = f"{_REGION + number // 1000 % 9000:06d}{born:%Y%m%d}{number % 1000:03d}"
    return Identity(
        name=name,
        id_kind=IdKind.RESIDENT,
        id_number=document + ric.calc_check_digit(document + "0"),
        phones=(f"{_PREFIX}{number:08d}",),
        birth_date=born.isoformat(),
    )


def _typing(
    genotype: dict[str, tuple[str, str]], others: list[dict[str, tuple[str, str]]], kind: str, rng: random.Random
) -> str:
    loci = dict(genotype)
    if kind == "outside":
        # Somebody of another population: alleles of several people together, which no haplotypes of the set explain.
        loci = {locus: (rng.choice(others)[locus][0], rng.choice(others)[locus][1]) for locus in loci}
    if kind == "low":
        loci = {locus: (_low(loci[locus][0]), _low(loci[locus][1])) for locus in ("A", "B", "DRB1")}
    if kind == "ambiguous":
        locus = rng.choice(list(loci))
        one, two = loci[locus]
        loci[locus] = (_string(one, locus, others, rng), _string(two, locus, others, rng))
    return "^".join("+".join(loci[locus]) for locus in loci)


def _low(name: str) -> str:
    """`A*02:01` as a laboratory of 2005 reported it: `A*02:XX`."""
    return f"{name.split(':')[0]}:XX"


def _string(name: str, locus: str, others: list[dict[str, tuple[str, str]]], rng: random.Random) -> str:
    """The allele among up to three of its own group that were not told apart."""
    group = name.split(":")[0]
    alike = {other[locus][side] for other in others[:200] for side in (0, 1)}
    alike = {other for other in alike if other.split(":")[0] == group and not other[-1].isalpha()}
    return "/".join(sorted({name, *rng.sample(sorted(alike), min(2, len(alike)))}))
