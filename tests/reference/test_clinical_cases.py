"""The hand-worked table, one test a case; and the brute force must agree with the hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from . import brute, worlds
from .blackbox import IMPUTE_HEADER, MATCH_HEADER, UNEXPLAINED_HEADER, number, rows, run, unexplained_beside
from .clinical_cases import (
    CASES,
    FREQUENCIES,
    IMPUTED,
    LISTED_EMPTY,
    NOT_LISTED,
    P11,
    P12,
    P13,
    P14,
    P44,
    R77,
    R87,
)

EXACT = {name: Fraction(text) for name, text in FREQUENCIES.items()}


def names(cases):
    return [case.name for case in cases]


def match(folder, patients: dict[str, str], donors: dict[str, str], *more):
    out = folder / "out.csv"
    done = run(
        *("match", "--nomenclature", worlds.write_nomenclature(folder)),
        *("--frequencies", worlds.write_frequencies(folder, FREQUENCIES)),
        *("--patients", worlds.write_subjects(folder, "patients", patients)),
        *("--donors", worlds.write_subjects(folder, "donors", donors), "--out", out, *more),
    )
    assert done.code == 0, done.err
    return rows(out, MATCH_HEADER), rows(unexplained_beside(out), UNEXPLAINED_HEADER)


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_the_case(case, tmp_path):
    more = () if case.threshold is None else ("--min-probability", case.threshold)
    found, _ = match(tmp_path, {"P": case.patient}, {"D": case.donor}, *more)
    if case.expected == NOT_LISTED:
        assert found == []
        return
    (row,) = found
    assert (row["patient"], row["donor"]) == ("P", "D")
    if case.expected == LISTED_EMPTY:
        assert {row[x] for x in MATCH_HEADER.split(",")[2:]} == {""}
        return
    for name, wanted in zip(("p_10", "p_9", "p_8"), case.expected, strict=True):
        assert abs(number(row[name]) - float(Fraction(wanted))) <= 1e-12, name
    for locus, (both, one) in case.loci.items():
        assert abs(number(row[f"{locus}_both"]) - float(Fraction(both))) <= 1e-12
        assert abs(number(row[f"{locus}_one"]) - float(Fraction(one))) <= 1e-12


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_the_brute_force_agrees_with_the_hand(case):
    try:
        one, two = (brute.genotypes(brute.impute(text, EXACT, worlds.LONGER)) for text in (case.patient, case.donor))
    except brute.Unexplained:
        most = brute.possible(case.patient, case.donor, brute.alleles_of(EXACT), worlds.LONGER)
        possible = sum(high for _, high in most.values()) >= 9
        assert case.expected == (LISTED_EMPTY if possible else NOT_LISTED)
        return
    found = brute.match(one, two)
    kept = found["counts"][10] + found["counts"][9] > Fraction(case.threshold or "1e-6")
    assert kept == (case.expected != NOT_LISTED)
    if kept:
        assert tuple(found["counts"][k] for k in (10, 9, 8)) == tuple(map(Fraction, case.expected))
        for locus, (both, part) in case.loci.items():
            assert found["both"][locus] == Fraction(both)
            assert found["one"][locus] == Fraction(part)


@pytest.mark.parametrize("case", IMPUTED, ids=names(IMPUTED))
def test_imputed(case, tmp_path):
    out = tmp_path / "out.csv"
    done = run(
        *("impute", "--nomenclature", worlds.write_nomenclature(tmp_path)),
        *("--frequencies", worlds.write_frequencies(tmp_path, FREQUENCIES)),
        *("--subjects", worlds.write_subjects(tmp_path, "subjects", {"S": case.typing}), "--out", out),
    )
    assert done.code == 0, done.err
    found = rows(out, IMPUTE_HEADER)
    if isinstance(case.expected, str):
        empty = {"subject": "S", "rank": "0", "haplotype_1": "", "haplotype_2": "", "probability": ""}
        assert found == [empty]
        assert "S" in {row["subject"] for row in rows(unexplained_beside(out), UNEXPLAINED_HEADER)}
        return
    assert [row["rank"] for row in found] == [str(n) for n in range(1, len(case.expected) + 1)]
    assert [(r["haplotype_1"], r["haplotype_2"]) for r in found] == [tuple(e[:2]) for e in case.expected]
    for row, (*_, wanted) in zip(found, case.expected, strict=True):
        assert abs(number(row["probability"]) - float(Fraction(wanted))) <= 1e-12


@pytest.mark.parametrize("case", IMPUTED, ids=names(IMPUTED))
def test_the_brute_force_imputes_as_the_hand(case):
    if isinstance(case.expected, str):
        with pytest.raises(brute.Unexplained, match=case.expected):
            brute.impute(case.typing, EXACT, worlds.LONGER)
        return
    found = brute.impute(case.typing, EXACT, worlds.LONGER)
    ranked = sorted((-probability, *pair) for pair, probability in found.items())
    assert [(h1, h2, -p) for p, h1, h2 in ranked] == [(a, b, Fraction(p)) for a, b, p in case.expected]


def test_order_of_a_list(tmp_path):
    """By p_10, then p_9, then p_8, then the donor's id as text; the unexplained last."""
    donors = {
        "D9": P14,  # 9/10
        "D2": P12,  # 10/10
        "D10": P12,  # 10/10; as text before D2
        "D7": f"A*01:01/A*02:01+A*02:01/A*24:02^{R87}",  # 4/9
        "D8": f"A*03:01+A*02:01^{R87}",  # unexplained
        "D1": f"A*68:01+A*01:01^{R87}",  # unexplained
        "D3": f"A*01:01+A*02:01|A*02:01+A*24:02^{R87}",  # 4/5
    }
    found, unexplained = match(tmp_path, {"P": P12}, donors)
    assert [row["donor"] for row in found] == ["D10", "D2", "D3", "D7", "D9", "D1", "D8"]
    assert {row["subject"] for row in unexplained if row["reason"]} >= {"D1", "D8"}


def test_equal_p_10_is_ordered_by_p_9_then_p_8(tmp_path):
    donors = {
        "D1": f"A*24:02|A*24:09N^{R77}",  # 1/2, 0, 1/2
        "D2": f"A*24:02+A*24:02/A*24:09N^{R77}",  # h4h4 .0025, h4h5 .005: 1/3, 2/3, 0
        "D3": f"A*24:02|A*02:01+A*24:09N^{R77}",  # h4h4 .0025, h2h5 .01: 1/5, 0, 4/5
        "D4": f"A*24:02|A*02:01+A*24:02^{R77}",  # h4h4 .0025, h2h4 .01: 1/5, 4/5, 0
    }
    found, _ = match(tmp_path, {"P": P44}, donors)
    assert [row["donor"] for row in found] == ["D1", "D2", "D4", "D3"]


def test_the_unexplained_file_tells_who_and_why(tmp_path):
    donors = {
        "D1": f"A*68:01+A*01:01^{R87}",
        "D2": f"A*03:01+A*02:01^{R87}",
        "D3": f"A*NEW+A*01:01^{R87}",
        "D4": P12,
    }
    _, unexplained = match(tmp_path, {"P": P12}, donors)
    about = {}
    for row in unexplained:
        about.setdefault(row["subject"], []).append(row)
    assert set(about) == {"D1", "D2", "D3"}
    assert len({about[name][0]["reason"] for name in about}) == 3
    assert {(row["locus"], row["allele"]) for row in about["D1"]} == {("A", "A*68:01")}
    assert {row["allele"] for row in about["D2"]} == {""}
    assert {row["locus"] for row in about["D3"]} == {"A"}


def test_nobody_unexplained_is_said_by_a_file_with_a_header_only(tmp_path):
    _, unexplained = match(tmp_path, {"P": P11}, {"D": P13})
    assert unexplained == []
