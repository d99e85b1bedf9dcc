"""`hla impute` against the brute force, on small random worlds."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from . import brute, worlds
from .blackbox import IMPUTE_HEADER, UNEXPLAINED_HEADER, number, rows, run, unexplained_beside


def impute(frequencies: dict[str, str], subjects: dict[str, str], form: dict | None = None, gz: bool = False):
    """Run it; return {subject: [(rank, h1, h2, probability or None)]}, and the unexplained rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / ("out.csv.gz" if gz else "out.csv")
        done = run(
            *("impute", "--nomenclature", worlds.write_nomenclature(folder)),
            *("--frequencies", worlds.write_frequencies(folder, frequencies, form)),
            *("--subjects", worlds.write_subjects(folder, "subjects", subjects, form), "--out", out),
        )
        assert done.code == 0, done.err
        found: dict[str, list] = {}
        for row in rows(out, IMPUTE_HEADER):
            probability = number(row["probability"]) if row["probability"] else None
            found.setdefault(row["subject"], []).append(
                (int(row["rank"]), row["haplotype_1"], row["haplotype_2"], probability)
            )
        return found, rows(unexplained_beside(out), UNEXPLAINED_HEADER)


def check(frequencies: dict[str, str], subjects: dict[str, str], form: dict | None = None, gz: bool = False):
    found, unexplained = impute(frequencies, subjects, form, gz)
    haplotypes = worlds.exact(frequencies)
    written = {name: worlds.own_name(name, form) for name in haplotypes}
    assert list(found) == list(subjects), "every subject once, in the order of its file"
    missing = {row["subject"] for row in unexplained if row["reason"]}
    for name, text in subjects.items():
        try:
            wanted = brute.impute(text, haplotypes, worlds.LONGER)
        except brute.Unexplained:
            assert found[name] == [(0, "", "", None)]
            assert name in missing
            continue
        wanted = {tuple(sorted((written[a], written[b]))): p for (a, b), p in wanted.items()}
        got = found[name]
        assert [rank for rank, *_ in got] == list(range(1, len(got) + 1))
        assert all(h1 <= h2 for _, h1, h2, _ in got)
        assert {(h1, h2) for _, h1, h2, _ in got} == set(wanted)
        assert len(got) == len(wanted)
        for _, h1, h2, probability in got:
            assert abs(probability - float(wanted[h1, h2])) <= 1e-12
            assert 0 < probability <= 1
        order = [(-probability, h1, h2) for _, h1, h2, probability in got]
        assert order == sorted(order), "by probability, then by the haplotypes' names"
        assert abs(sum(probability for *_, probability in got) - 1) <= 1e-12


@worlds.examples(75)
@given(worlds.worlds(patients=4), st.booleans())
def test_every_pair_and_no_other(world, gz):
    check(world["frequencies"], world["patients"], world["form"], gz)


@worlds.examples(50)
@given(st.data())
def test_known_phase(data):
    frequencies = data.draw(worlds.frequency_sets())
    texts = data.draw(st.lists(worlds.phased_typings(list(frequencies)), min_size=1, max_size=3))
    check(frequencies, {f"S{n}": text for n, text in enumerate(texts)})


@worlds.examples(25)
@given(worlds.worlds(patients=3))
def test_the_two_reasons_are_told_apart(world):
    haplotypes = worlds.exact(world["frequencies"])
    why = {}
    for name, text in world["patients"].items():
        try:
            brute.impute(text, haplotypes, worlds.LONGER)
        except brute.Unexplained as reason:
            why[name] = reason.why
    _, unexplained = impute(world["frequencies"], world["patients"])
    reasons = {row["subject"]: row["reason"] for row in unexplained if row["subject"] in why}
    assert set(reasons) == set(why)
    kinds = {(why[name], reasons[name]) for name in why}
    assert len({reason for _, reason in kinds}) == len({kind for kind, _ in kinds}) == len(kinds)
