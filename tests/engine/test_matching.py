"""Imputation and match prediction against the WMDA reference, a brute force, and their invariants."""

from __future__ import annotations

import csv
import itertools
import random
from collections import Counter

import numpy as np
import pytest

from hlaengine import exercise, frequencies, imputation, matching, starter, typings
from hlaengine.subjects import read_subjects

from .conftest import shared

SET = frequencies.from_text(
    "\n".join(
        f"A*{a}~C*{c}~B*{b}~DRB1*{d}~DQB1*{q},toy,{f}"
        for a, c, b, d, q, f in [
            ("01:01", "07:01", "08:01", "03:01", "02:01", 0.2),
            ("02:01", "07:01", "08:01", "03:01", "02:01", 0.1),
            ("02:01", "07:02", "07:02", "15:01", "06:02", 0.15),
            ("03:01", "07:02", "07:02", "15:01", "06:02", 0.05),
            ("01:01", "07:02", "07:02", "03:01", "02:01", 0.04),
            ("24:09N", "07:02", "07:02", "15:01", "06:02", 0.03),
            ("02:06", "07:01", "08:01", "15:01", "06:02", 0.02),
        ]
    ),
    "toy",
)


def genotypes(texts, frequency_set=SET):
    imputer = imputation.Imputer(frequency_set, starter.nomenclature())
    codes = frequency_set.codes.astype(np.int64)
    return imputation.stack(
        [imputation.genotypes_of(imputer.impute(typings.parse(t)), codes) for t in texts],
        len(frequency_set.loci),
    )


def brute(text):
    """Genotype to probability, by ordered pairs of haplotypes as strings."""
    typing, weights = typings.parse(text), Counter()
    rows = [(h.split("~"), f) for h, f in zip(SET.haplotypes, SET.frequencies.tolist(), strict=True)]
    for (h1, f1), (h2, f2) in itertools.product(rows, rows):
        if all(_explains(typing.loci[x], h1[i], h2[i]) for i, x in enumerate(SET.loci) if x in typing.loci):
            weights[tuple(tuple(sorted(p)) for p in zip(h1, h2, strict=True))] += f1 * f2
    total = sum(weights.values())
    return {g: w / total for g, w in weights.items()}


def test_known_phase_narrows_the_pairs():
    imputer = imputation.Imputer(SET, starter.nomenclature())
    cis = imputer.impute(typings.parse("A*01:01~B*08:01+A*02:01~B*07:02"))
    trans = imputer.impute(typings.parse("A*01:01~B*07:02+A*02:01~B*08:01"))
    either = imputer.impute(typings.parse("A*01:01~B*08:01+A*02:01~B*07:02|A*01:01~B*07:02+A*02:01~B*08:01"))
    unphased = imputer.impute(typings.parse("A*01:01+A*02:01^B*08:01+B*07:02"))
    assert len(cis.first) == len(trans.first) == 1
    assert len(either.first) == len(unphased.first) == 2
    assert np.isclose(cis.z + trans.z, unphased.z)


def _explains(locus, a, b):
    return any((a in s and b in t) or (a in t and b in s) for s, t in locus.alternatives)


def random_typing(chosen):
    parts = []
    for i, locus in enumerate(SET.loci):
        if chosen.random() < 0.25 and locus != "A":
            continue
        names = SET.alleles[i]
        one, two = ("/".join(sorted(chosen.sample(names, chosen.randint(1, len(names))))) for _ in "12")
        three = "/".join(chosen.sample(names, 1))
        parts.append(f"{one}+{two}" + (f"|{three}+{three}" if chosen.random() < 0.3 else ""))
    return "^".join(parts)


def test_random_typings_equal_the_brute_force():
    chosen = random.Random(1)
    texts = [t for t in (random_typing(chosen) for _ in range(60)) if sum(brute_weights(t))][:20]
    expected = [brute(t) for t in texts]
    found = genotypes(texts)
    comparison = matching.Comparison(found, found)
    p_10, p_9 = comparison.near()
    everyone = np.arange(len(texts))
    for i, mine in enumerate(expected):
        columns = comparison.columns(i, everyone)
        assert np.allclose(columns.exactly.sum(axis=1), 1, atol=1e-12, rtol=0)
        assert np.allclose(columns.exactly[:, -1], p_10[i], atol=1e-12, rtol=0)
        assert np.allclose(columns.exactly[:, -2], p_9[i], atol=1e-12, rtol=0)
        assert np.allclose(p_10[i], p_10[:, i], atol=1e-12, rtol=0)
        for j, theirs in enumerate(expected):
            exactly = Counter()
            for (g, p), (h, q) in itertools.product(mine.items(), theirs.items()):
                count = sum(sum((Counter(x) & Counter(y)).values()) for x, y in zip(g, h, strict=True))
                exactly[count] += p * q
            assert all(abs(columns.exactly[j, k] - exactly[k]) < 1e-12 for k in range(11))


def brute_weights(text):
    try:
        return brute(text).values()
    except ZeroDivisionError:
        return []


def test_probabilities_sum_to_one_and_ignore_the_order_of_sides_and_loci():
    imputer = imputation.Imputer(SET, starter.nomenclature())
    one = imputer.impute(typings.parse("A*01:01/A*02:01+A*02:01^B*08:01+B*07:02"))
    two = imputer.impute(typings.parse("B*07:02+B*08:01^A*02:01+A*02:01/A*01:01"))
    assert abs(one.probability.sum() - 1) < 1e-12
    assert np.array_equal(one.probability, two.probability)
    assert (one.first <= one.second).all()


def test_a_longer_name_goes_through_the_nomenclature_and_is_never_cut():
    imputer = imputation.Imputer(SET, starter.nomenclature())
    assert imputer.codes("A*01:01:01:01") == imputer.codes("A*01:01")
    assert imputer.codes("A*01:01:01:02N") == ()
    assert imputer.codes("A*02:01:99") is None
    assert imputer.codes("A*02:XX") == (1, 2)
    with pytest.raises(typings.TypingError) as caught:
        imputer.impute(typings.parse("B*08:01^A*02:01:99+A*01:01"))
    assert (caught.value.code, caught.value.position) == ("typing.unknown_allele", 8)
    assert "import-release" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason", "locus"),
    [
        ("A*11:01+A*01:01", "allele_not_in_set", "A"),
        ("A*01:01+A*02:01^DRB1*15:01+DRB1*15:01^C*07:01+C*07:01", "no_haplotype_pair", ""),
        ("A*01:01+A*NEW", "new_allele", "A"),
    ],
)
def test_the_reasons_of_the_unexplained_are_told_apart(text, reason, locus):
    found = imputation.Imputer(SET, starter.nomenclature()).impute(typings.parse(text))
    assert [(u.reason, u.locus) for u in found.unexplained] == [(reason, locus)]
    assert len(found.first) == 0


def test_alleles_the_set_does_not_hold_are_dropped_and_counted():
    imputer = imputation.Imputer(SET, starter.nomenclature())
    found = imputer.impute(typings.parse("A*01:01/A*11:01/A*11:02+A*02:01"))
    assert found.dropped == ("A*11:01", "A*11:02")
    assert not found.unexplained


def test_wmda_reference(no_nomenclature):
    chosen = frequencies.read(str(shared("wmda/haplotypes.freqs.gz")))
    imputer = imputation.Imputer(chosen, no_nomenclature)
    patients, donors = (
        exercise.impute_subjects(imputer, read_subjects(str(shared(f"wmda/{name}.gl.txt"))))
        for name in ("patients", "donors")
    )
    found = {
        (r.patient, r.donor): (r.p_10, r.p_9, r.p_8, *r.both, *r.one) for r in exercise.match(patients, donors, imputer)
    }
    with open(shared("wmda/expected_matches.csv"), newline="") as stream:
        expected = {(r[0], r[1]): [float(x) for x in r[2:]] for r in itertools.islice(csv.reader(stream), 1, None)}
    assert found.keys() == expected.keys()
    assert max(abs(a - b) for k in expected for a, b in zip(expected[k], found[k], strict=True)) < 1e-12
