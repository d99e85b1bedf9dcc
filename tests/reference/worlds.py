"""Small random worlds: a frequency set, and subjects typed against it in every allowed way of writing."""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from .blackbox import write
from .brute import LOCI, locus_of, split_haplotype

ALLELES = {
    "A": ("A*01:01", "A*02:01", "A*02:06", "A*24:02", "A*24:09N", "A*11:01"),
    "C": ("C*01:02", "C*03:04", "C*07:02", "C*04:09N", "C*08:01"),
    "B": ("B*07:02", "B*40:01", "B*40:02", "B*46:01", "B*58:01"),
    "DRB1": ("DRB1*09:01", "DRB1*15:01", "DRB1*15:02", "DRB1*08:03"),
    "DQB1": ("DQB1*03:03", "DQB1*06:01", "DQB1*06:02", "DQB1*03:01"),
}
# Longer names, by hand: what they are at two fields. The null of an expressed name is another allele.
LONGER = {
    "A*01:01:01": "A*01:01",
    "A*01:01:01:01": "A*01:01",
    "A*01:01:01:02N": "A*01:01N",
    "A*02:01:01": "A*02:01",
    "A*02:01:01:01": "A*02:01",
    "A*24:02:01": "A*24:02",
    "A*24:02:01:01": "A*24:02",
    "A*11:01:01": "A*11:01",
    "C*07:02:01": "C*07:02",
    "C*07:02:01:01": "C*07:02",
    "B*07:02:01": "B*07:02",
    "B*40:01:02": "B*40:01",
    "B*46:01:01": "B*46:01",
    "DRB1*09:01:02": "DRB1*09:01",
    "DRB1*15:01:01": "DRB1*15:01",
    "DRB1*15:01:01:01": "DRB1*15:01",
    "DQB1*03:03:02": "DQB1*03:03",
    "DQB1*06:02:01": "DQB1*06:02",
}


def examples(number: int) -> settings:
    """Few and always the same by default; HLA_REFERENCE_EFFORT=20 looks twenty times as far, at random.

    HLA_REFERENCE_SHRINK=0 shows the first failure as it is found: quick, where the engine itself is slow.
    """
    shrink = os.environ.get("HLA_REFERENCE_SHRINK") != "0"
    effort = int(os.environ.get("HLA_REFERENCE_EFFORT", "1"))
    return settings(
        max_examples=number * effort,
        deadline=None,
        derandomize=effort == 1,
        database=None,
        phases=[each for each in Phase if shrink or each != Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@st.composite
def frequency_sets(draw, most: int = 12, table: dict = ALLELES) -> dict[str, str]:
    """{haplotype: frequency as written}. Few alleles per locus, so that phases and mismatches collide."""
    pool = {
        locus: draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        for locus, names in table.items()
    }
    haplotypes = draw(
        st.lists(
            st.tuples(*(st.sampled_from(pool[locus]) for locus in LOCI)),
            min_size=1,
            max_size=most,
            unique=True,
        )
    )
    weights = draw(
        st.lists(
            st.one_of(st.integers(1, 8_000_000), st.integers(1, 200)),
            min_size=len(haplotypes),
            max_size=len(haplotypes),
        )
    )
    out = {}
    for names, weight in zip(haplotypes, weights, strict=True):
        number = Decimal(weight).scaleb(-8)
        out["~".join(names)] = draw(st.sampled_from([f"{number:f}", repr(float(number)), f"{number:E}"]))
    return out


def exact(frequencies: dict[str, str]) -> dict[str, Fraction]:
    return {haplotype: Fraction(text) for haplotype, text in frequencies.items()}


@st.composite
def _names(draw, allele: str, decoys: tuple[str, ...]) -> list[str]:
    """One side's alleles as a laboratory might write them: holds `allele` in some form, and maybe others."""
    written = [allele]
    longer = [name for name, short in LONGER.items() if short == allele]
    if longer and draw(st.integers(0, 3)) == 0:
        written = [draw(st.sampled_from(longer))]
    elif draw(st.integers(0, 7)) == 0:
        written = [allele.split(":")[0] + ":XX"]
    extra = draw(st.lists(st.sampled_from(decoys), max_size=3))
    return draw(st.permutations(written + extra))


def _write_pair(draw, one: list[str], two: list[str]) -> str:
    if draw(st.booleans()):
        one, two = two, one
    left, right = "/".join(one), "/".join(two)
    if left == right:
        return left + draw(st.sampled_from(["", "+", "+-", "+" + right]))
    return f"{left}+{right}"


@st.composite
def locus_typings(draw, locus: str, pair: tuple[str, str], table: dict = ALLELES) -> str:
    decoys = table[locus] + tuple(name for name in LONGER if locus_of(name) == locus)
    one = draw(_names(pair[0], decoys))
    two = one if pair[0] == pair[1] and draw(st.booleans()) else draw(_names(pair[1], decoys))
    genotypes = [_write_pair(draw, one, two)]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        others = [draw(st.lists(st.sampled_from(table[locus]), min_size=1, max_size=2)) for _ in range(2)]
        genotypes.append(_write_pair(draw, *others))
    return "|".join(draw(st.permutations(genotypes)))


@st.composite
def typings(draw, haplotypes: list[str], table: dict = ALLELES) -> str:
    """Mostly built around two haplotypes of the set; some of mixed haplotypes, some of any alleles."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        parts = [{locus: draw(st.sampled_from(table[locus])) for locus in LOCI} for _ in range(2)]
    elif kind <= 2:
        whole = [split_haplotype(haplotype) for haplotype in haplotypes]
        parts = [{locus: draw(st.sampled_from(whole))[locus] for locus in LOCI} for _ in range(2)]
    else:
        parts = [split_haplotype(draw(st.sampled_from(haplotypes))) for _ in range(2)]
    loci = draw(st.one_of(st.just(LOCI), st.lists(st.sampled_from(LOCI), min_size=1, unique=True)))
    return "^".join(
        draw(locus_typings(locus, (parts[0][locus], parts[1][locus]), table))
        for locus in draw(st.permutations(list(loci)))
    )


@st.composite
def phased_typings(draw, haplotypes: list[str], table: dict = ALLELES) -> str:
    """Some loci joined by `~` in known phase, the others as usual."""
    one, two = (split_haplotype(draw(st.sampled_from(haplotypes))) for _ in range(2))
    joined = draw(st.lists(st.sampled_from(LOCI), min_size=2, max_size=5, unique=True))
    sides = []
    for part in (one, two):
        names = [draw(_names(part[locus], table[locus])) for locus in joined]
        sides.append("~".join("/".join(each) for each in names))
    blocks = ["+".join(sides)]
    for locus in LOCI:
        if locus not in joined and draw(st.booleans()):
            blocks.append(draw(locus_typings(locus, (one[locus], two[locus]), table)))
    return "^".join(draw(st.permutations(blocks)))


@st.composite
def identifiers(draw, prefix: str, number: int) -> list[str]:
    numbers = draw(st.lists(st.integers(1, 120), min_size=number, max_size=number, unique=True))
    return [f"{prefix}{n}" for n in numbers]


@st.composite
def worlds(draw, patients: int = 2, donors: int = 4) -> dict:
    frequencies = draw(frequency_sets())
    haplotypes = list(frequencies)
    out = {"frequencies": frequencies}
    for key, prefix, most in (("patients", "P", patients), ("donors", "D", donors)):
        number = draw(st.integers(1, most))
        names = draw(identifiers(prefix, number))
        out[key] = {name: draw(typings(haplotypes)) for name in names}
    out["form"] = draw(
        st.fixed_dictionaries(
            {
                "header": st.booleans(),
                "rank": st.booleans(),
                "prefix": st.booleans(),
                "g": st.booleans(),
                "gz": st.booleans(),
                "csv": st.booleans(),
                "crlf": st.booleans(),
                "order": st.permutations(haplotypes),
            }
        )
    )
    return out


def write_nomenclature(folder: Path, p_groups: dict[str, str | None] | None = None) -> Path:
    """A nomenclature of these alleles; by default each its own P group (`match` never asks for it)."""
    if p_groups is None:
        names = {name for several in ALLELES.values() for name in several} | set(LONGER.values())
        p_groups = {name: None if name.endswith("N") else name + "P" for name in sorted(names)}
    lines = ["# tiny,1", "allele,p_group,longer"]
    for name, group in p_groups.items():
        longer = " ".join(long for long, short in LONGER.items() if short == name)
        lines.append(f"{name},{group or ''},{longer}")
    return write(folder / "nomenclature.csv", "\n".join(lines) + "\n")


def own_name(haplotype: str, form: dict | None) -> str:
    """A haplotype in the set's own names: a `g` that names a group is part of them, `HLA-` is not."""
    names = haplotype.split("~")
    if (form or {}).get("g"):
        names = [name if name[-1].isalpha() else name + "g" for name in names]
    return "~".join(names)


def write_frequencies(folder: Path, frequencies: dict[str, str], form: dict | None = None) -> Path:
    form = form or {}
    lines = []
    if form.get("header"):
        lines.append("population,haplotype,frequency" + (",rank" if form.get("rank") else ""))
    for rank, haplotype in enumerate(form.get("order") or frequencies, 1):
        names = own_name(haplotype, form).split("~")
        if form.get("prefix"):
            names = ["HLA-" + name for name in names]
        text, frequency = "~".join(names), frequencies[haplotype]
        if form.get("header"):
            lines.append(f"CHN,{text},{frequency}" + (f",{rank}" if form.get("rank") else ""))
        else:
            lines.append(f"{text},CHN,{frequency}")
    end = "\r\n" if form.get("crlf") else "\n"
    name = "frequencies.csv" + (".gz" if form.get("gz") else "")
    return write(folder / name, "".join(line + end for line in lines))


def write_subjects(folder: Path, name: str, subjects: dict[str, str], form: dict | None = None) -> Path:
    form = form or {}
    lines = ["id,gl"] if form.get("csv") else []
    lines += [f"{key}{',' if form.get('csv') else '%'}{text}" for key, text in subjects.items()]
    end = "\r\n" if form.get("crlf") else "\n"
    suffix = (".csv" if form.get("csv") else ".txt") + (".gz" if form.get("gz") else "")
    return write(folder / (name + suffix), "".join(line + end for line in lines))
