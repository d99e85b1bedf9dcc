"""The benchmark: simulated people are as promised, every figure is there. Its timings are not tested."""

from __future__ import annotations

from collections import Counter

from hlaengine import bench, starter, typings
from hlaengine.cli import main


def test_people_are_seeded_mixed_and_readable():
    people = list(bench.simulate(2_000, 5))
    assert people == list(bench.simulate(2_000, 5)) != list(bench.simulate(2_000, 6))
    counts = Counter(kind for kind, _ in people)
    for kind, share in bench.RESOLUTIONS.items():
        assert abs(counts[kind] / 2_000 - share) < 0.04
    for kind, text in people[:300]:
        typing = typings.parse(text)
        starter.nomenclature().check(typing)
        assert len(typing.loci) == (3 if kind == "low" else 5)
    assert any("/" in text for kind, text in people if kind == "ambiguous")


def test_every_figure_is_measured(capsys):
    assert main(["bench", "--donors", "2000", "--patients", "4", "--seed", "3"]) == 0
    said = capsys.readouterr().out
    for what in ("machine", "build", "index", "open", "first search", "p95", "limit", "match 300 × 1,000", "÷"):
        assert what in said
    figures = bench.run(200, 3)
    assert figures["donors"] == 200
    assert figures["index_bytes"] > 200 * 10
    assert {"search_all", "search_two-field", "search_ambiguous", "search_low"} <= figures.keys()
    assert figures["donors_per_second"] > 0
    assert figures["scan_ratio"] > 0
