"""Least and greatest possible counts equal trying every genotype, nulls and unknown sides included."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from hlaengine.counting import LocusTable, alternatives
from hlaengine.typings import parse

NULL = 0
#: Allele field to element; 09 is null.
CODES = {f"A*02:0{i}": i for i in range(1, 7)} | {"A*02:09": NULL}


def elements(name):
    return [CODES[name]]


def every_genotype(locus):
    """By trying: the genotypes a locus typing allows, nulls substituted per genotype."""
    result = set()
    for pair in locus.alternatives:
        sides = []
        for side in pair:
            held = {CODES[n] for n in side}
            sides.append(held - {NULL} or held)
        for a, b in itertools.product(*sides):
            if NULL in (a, b):
                a = b = max(a, b)
            result.add((a, b))
    return result


def count(g, h):
    return sum((Counter(g) & Counter(h)).values())


def random_locus(chosen):
    names = sorted(CODES)

    def side():
        return "/".join(chosen.sample(names, chosen.choice([1, 1, 1, 2, 2, 3, 4])))

    return "|".join(f"{side()}+{side()}" for _ in range(chosen.choice([1, 1, 2])))


def test_possible_counts_equal_trying_every_genotype():
    chosen = random.Random(5)
    texts = [random_locus(chosen) for _ in range(80)]
    loci = [parse(t).loci["A"] for t in texts]
    table = LocusTable([alternatives(x, elements, NULL) for x in loci])
    for query in loci[:40]:
        least, most = table.possible(alternatives(query, elements, NULL))
        for i, other in enumerate(loci, 1):
            counts = [count(g, h) for g, h in itertools.product(every_genotype(query), every_genotype(other))]
            assert (least[i], most[i]) == (min(counts), max(counts)), (query.text, other.text)


@pytest.mark.parametrize(
    ("patient", "donor", "least", "most"),
    [
        ("A*02:01+A*02:02", "A*02:01+A*02:02", 2, 2),
        ("A*02:01+A*02:01", "A*02:01+A*02:02", 1, 1),
        ("A*02:01+A*02:09", "A*02:01+A*02:01", 2, 2),
        ("A*02:09+A*02:09", "A*02:09+A*02:09", 2, 2),
        ("A*02:09+A*02:09", "A*02:01+A*02:09", 0, 0),
        ("A*02:01/A*02:09+A*02:02", "A*02:01+A*02:02", 2, 2),
        ("A*NEW+A*02:02", "A*NEW+A*02:02", 1, 1),
        ("A*NEW+A*NEW", "A*NEW+A*NEW", 0, 0),
    ],
)
def test_clinical_cases(patient, donor, least, most):
    table = LocusTable([alternatives(parse(donor).loci["A"], elements, NULL)])
    found = table.possible(alternatives(parse(patient).loci["A"], elements, NULL))
    assert (found[0][1], found[1][1]) == (least, most)


def test_an_unknown_side_can_be_any_allele_and_an_untyped_locus_is_potential():
    half = parse("A*02:01", blank="unknown").loci["A"]
    table = LocusTable([alternatives(half, elements, NULL)])
    least, most = table.possible(alternatives(parse("A*02:01+A*02:06").loci["A"], elements, NULL))
    assert (least.tolist(), most.tolist()) == ([0, 1], [2, 2])
    least, most = table.possible(None)
    assert (least.tolist(), most.tolist()) == ([0, 0], [2, 2])
