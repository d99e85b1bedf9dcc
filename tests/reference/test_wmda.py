"""The WMDA sample: first the brute force against its independent numbers, then the engine on every pair."""

from __future__ import annotations

import csv
import gzip
import random
from fractions import Fraction
from pathlib import Path

import pytest

from . import brute
from .blackbox import MATCH_HEADER, number, rows, run

SAMPLE = Path(__file__).resolve().parents[2].parent / "shared" / "wmda"
pytestmark = pytest.mark.skipif(
    not (SAMPLE / "expected_matches.csv").exists(), reason="the WMDA sample is not here (../shared/wmda)"
)
NUMBERS = MATCH_HEADER.split(",")[2:]


@pytest.fixture(scope="module")
def haplotypes() -> dict[str, Fraction]:
    with gzip.open(SAMPLE / "haplotypes.freqs.gz", "rt") as stream:
        return {name: Fraction(f) for name, _, f in (line.strip().split(",") for line in stream)}


@pytest.fixture(scope="module")
def expected() -> list[dict[str, str]]:
    with open(SAMPLE / "expected_matches.csv", newline="") as stream:
        return list(csv.DictReader(stream))


def subjects(name: str) -> dict[str, str]:
    return dict(line.split("%") for line in (SAMPLE / name).read_text().splitlines())


def within_reach(text: str, haplotypes: dict[str, Fraction]) -> dict[str, Fraction]:
    """Only the haplotypes that could be part of an explaining pair: same answer, shorter wait."""
    resolved, _ = brute.against_set(brute.parse(text), brute.alleles_of(haplotypes))
    allowed = [{x: set().union(*(s[x] for g in b for s in g)) for x in b[0][0]} for b in resolved]
    return {
        name: frequency
        for name, frequency in haplotypes.items()
        if all(brute.split_haplotype(name)[x] in names for block in allowed for x, names in block.items())
    }


def test_the_brute_force_agrees_with_the_sample(haplotypes, expected):
    patients, donors = subjects("patients.gl.txt"), subjects("donors.gl.txt")
    compared = 0
    for row in random.Random(20161).sample(expected, 120):
        texts = patients[row["patient"]], donors[row["donor"]]
        reach = [within_reach(text, haplotypes) for text in texts]
        if max(map(len, reach)) > 70:
            continue
        one, two = (brute.genotypes(brute.impute(t, h)) for t, h in zip(texts, reach, strict=True))
        if len(one) * len(two) > 5000:
            continue
        found = brute.match(one, two)
        for k in (10, 9, 8):
            assert abs(float(found["counts"][k]) - float(row[f"p_{k}"])) < 1e-12
        for kind in ("both", "one"):
            for locus in brute.LOCI:
                assert abs(float(found[kind][locus]) - float(row[f"{locus}_{kind}"])) < 1e-12
        compared += 1
    assert compared > 40


def test_the_engine_agrees_on_every_pair(tmp_path, expected):
    out = tmp_path / "matches.csv"
    done = run(
        *("match", "--frequencies", SAMPLE / "haplotypes.freqs.gz", "--patients", SAMPLE / "patients.gl.txt"),
        *("--donors", SAMPLE / "donors.gl.txt", "--out", out),
    )
    assert done.code == 0, done.err
    wanted = {(row["patient"], row["donor"]): row for row in expected}
    got = {(row["patient"], row["donor"]): row for row in rows(out, MATCH_HEADER) if row["p_10"]}
    assert set(got) == set(wanted)
    worst = max(abs(number(got[pair][x]) - float(wanted[pair][x])) for pair in wanted for x in NUMBERS)
    assert worst <= 1e-12


def test_the_engine_imputes_as_the_brute_force(tmp_path, haplotypes):
    """A few whole subjects of the sample against the real set, through `hla impute`."""
    donors = subjects("donors.gl.txt")
    chosen = {}
    for name in sorted(donors):
        if len(within_reach(donors[name], haplotypes)) <= 60:
            chosen[name] = donors[name]
        if len(chosen) == 25:
            break
    listed = tmp_path / "subjects.txt"
    listed.write_text("".join(f"{name}%{text}\n" for name, text in chosen.items()))
    out = tmp_path / "imputed.csv"
    done = run(
        *("impute", "--frequencies", SAMPLE / "haplotypes.freqs.gz"),
        *("--subjects", listed, "--out", out),
    )
    assert done.code == 0, done.err
    got = {}
    for row in rows(out, "subject,rank,haplotype_1,haplotype_2,probability"):
        if row["rank"] != "0":
            pair = row["haplotype_1"], row["haplotype_2"]
            got.setdefault(row["subject"], {})[pair] = number(row["probability"])
    for name, text in chosen.items():
        try:
            wanted = brute.impute(text, within_reach(text, haplotypes))
        except brute.Unexplained:
            assert name not in got
            continue
        assert set(got[name]) == set(wanted)
        assert max(abs(got[name][pair] - float(wanted[pair])) for pair in wanted) <= 1e-12
