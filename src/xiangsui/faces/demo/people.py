"""Donors drawn from a seed: the same number gives the same donors, every one invented."""

from __future__ import annotations

import datetime as dt
import random
import uuid

from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.programme.donors.codes import Abo, Rhesus, Sex
from xiangsui.programme.donors.services import DonorDraft
from xiangsui.programme.hla.selectors import sample_genotypes

from .world import donor_weights

SEED = 20260916  # a World Marrow Donor Day
_NAMESPACE = uuid.UUID("6f1d9b52-8d5a-5c5e-9e0b-2b7d3a0c9a10")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
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
                registered_on=registered,
            )
        )
    return made


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
