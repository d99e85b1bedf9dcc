"""`hla match` against the brute force: the pairs kept, every number, the order, the text of the numbers."""

from __future__ import annotations

import random
import tempfile
from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from . import brute, worlds
from .blackbox import MATCH_HEADER, UNEXPLAINED_HEADER, number, rows, run, unexplained_beside

NUMBERS = MATCH_HEADER.split(",")[2:]


def match(world: dict, threshold: str | None = None, gz: bool = False):
    """Run it; return the rows in their order, numbers read (None where empty), and the unexplained rows."""
    with tempfile.TemporaryDirectory() as name:
        folder, form = Path(name), world.get("form")
        out = folder / ("out.csv.gz" if gz else "out.csv")
        done = run(
            *("match", "--nomenclature", worlds.write_nomenclature(folder)),
            *("--frequencies", worlds.write_frequencies(folder, world["frequencies"], form)),
            *("--patients", worlds.write_subjects(folder, "patients", world["patients"], form)),
            *("--donors", worlds.write_subjects(folder, "donors", world["donors"], form)),
            *("--out", out, *(("--min-probability", threshold) if threshold is not None else ())),
        )
        assert done.code == 0, done.err
        found = [
            (row["patient"], row["donor"], {x: number(row[x]) if row[x] else None for x in NUMBERS})
            for row in rows(out, MATCH_HEADER)
        ]
        return found, rows(unexplained_beside(out), UNEXPLAINED_HEADER)


def distribution(text: str, haplotypes: dict[str, Fraction]):
    try:
        return brute.genotypes(brute.impute(text, haplotypes, worlds.LONGER))
    except brute.Unexplained:
        return None


def as_numbers(found: dict) -> dict[str, Fraction]:
    numbers = {f"p_{k}": found["counts"][k] for k in (10, 9, 8)}
    for kind in ("both", "one"):
        numbers |= {f"{locus}_{kind}": found[kind][locus] for locus in brute.LOCI}
    return numbers


def expectation(world: dict, threshold: Fraction):
    """{pair: numbers}, the pairs too near the threshold to call, and the pairs that must be listed empty."""
    haplotypes = worlds.exact(world["frequencies"])
    known = brute.alleles_of(haplotypes)
    patients = {name: distribution(text, haplotypes) for name, text in world["patients"].items()}
    donors = {name: distribution(text, haplotypes) for name, text in world["donors"].items()}
    kept, near, empty = {}, set(), set()
    for patient, one in patients.items():
        for donor, two in donors.items():
            if one is None or two is None:
                most = brute.possible(world["patients"][patient], world["donors"][donor], known, worlds.LONGER)
                if sum(high for _, high in most.values()) >= 9:
                    empty.add((patient, donor))
                continue
            numbers = as_numbers(brute.match(one, two))
            top = numbers["p_10"] + numbers["p_9"]
            if abs(top - threshold) < Fraction(1, 10**12) and threshold:
                near.add((patient, donor))
            if top > threshold:
                kept[patient, donor] = numbers
    return kept, near, empty


def check_order(found, world):
    order = {name: number for number, name in enumerate(world["patients"])}
    keys = []
    for patient, donor, numbers in found:
        if numbers["p_10"] is None:
            assert set(numbers.values()) == {None}
            keys.append((1, order[patient], (), donor))
        else:
            best = tuple(-numbers[f"p_{k}"] for k in (10, 9, 8))
            keys.append((0, order[patient], best, donor))
    per_patient = {}
    for key in keys:
        per_patient.setdefault(key[1], []).append(key)
    for several in per_patient.values():
        assert several == sorted(several)


@worlds.examples(110)
@given(worlds.worlds(), st.booleans())
def test_every_number_and_the_pairs_kept(world, gz):
    found, _ = match(world, gz=gz)
    kept, near, empty = expectation(world, Fraction(1, 10**6))
    got = {(patient, donor): numbers for patient, donor, numbers in found}
    assert len(got) == len(found), "a pair is listed once"
    explained = {pair for pair, numbers in got.items() if numbers["p_10"] is not None}
    assert explained - near == set(kept) - near
    assert set(got) - explained == empty
    for pair in explained & set(kept):
        for name, wanted in kept[pair].items():
            value = got[pair][name]
            assert abs(value - float(wanted)) <= 1e-12, (pair, name)
            assert (value == 0) == (wanted == 0), (pair, name, "zero only where it is exactly zero")
            assert value >= 0, (pair, name)
    check_order(found, world)


def test_no_probability_is_above_one():
    """All haplotypes have the same A and B: A_both is exactly 1, however the floats add up."""
    rng = random.Random(3)
    for many in range(2, 14):
        names = [f"{c}~B*07:02~{dr}" for c in worlds.ALLELES["C"] for dr in worlds.ALLELES["DRB1"]]
        chosen = [f"A*02:01~{name}~DQB1*03:03" for name in rng.sample(names, many)]
        world = {
            "frequencies": {name: repr(rng.randint(1, 10**6) / 10**8) for name in chosen},
            "patients": {"P": "A*02:01^B*07:02"},
            "donors": {"D": "A*02:01^B*07:02"},
        }
        ((_, _, row),) = match(world)[0]
        for name, value in row.items():
            assert 0 <= value <= 1, (many, name, value)
        for locus in ("A", "B", "DQB1"):
            assert abs(row[f"{locus}_both"] - 1) <= 1e-12
            assert row[f"{locus}_one"] == 0


@worlds.examples(40)
@given(worlds.worlds(), st.sampled_from(["0", "0.75", "0.5", "0.25", "0.1", "1e-3", "0.9999999"]))
def test_the_threshold_is_strict(world, threshold):
    found, _ = match(world, threshold)
    kept, near, _ = expectation(world, Fraction(threshold))
    got = {(patient, donor) for patient, donor, numbers in found if numbers["p_10"] is not None}
    assert got - near == set(kept) - near


@worlds.examples(20)
@given(worlds.worlds(patients=2, donors=3))
def test_all_counts_together_are_one(world):
    """On the reference itself: a check of the check."""
    haplotypes = worlds.exact(world["frequencies"])
    for one in world["patients"].values():
        for two in world["donors"].values():
            p, d = distribution(one, haplotypes), distribution(two, haplotypes)
            if p and d:
                found = brute.match(p, d)
                assert sum(found["counts"]) == 1
                expected = sum(2 * found["both"][x] + found["one"][x] for x in brute.LOCI)
                assert expected == sum(k * each for k, each in enumerate(found["counts"]))
