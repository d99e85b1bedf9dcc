"""How fast the engine is on this machine: ``python -m hlaengine bench [--donors N] [--patients N] [--seed N]``.

Donors are simulated from the starter set, so that anybody can run it: pairs of haplotypes drawn by frequency,
70 % typed at five loci in two fields, 20 % ambiguous, 10 % at A, B, DRB1 in low resolution, shuffled. Beside
the search stands what the memory of the machine allows in the same run: a plain scan of the same code
columns. Timings are wall clock; other work on the machine shows in them.
"""

from __future__ import annotations

import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from . import exercise, index, search, starter
from .imputation import Imputer
from .index import DonorRow, Index
from .segment import COLUMNS
from .subjects import Subject
from .typings import MATCH_LOCI, parse

#: How a simulated person is typed, and the share of donors typed so.
RESOLUTIONS = {"two-field": 0.7, "ambiguous": 0.2, "low": 0.1}
_LOW_LOCI = frozenset({"A", "B", "DRB1"})
_MATCHED_PATIENTS, _MATCHED_DONORS = 300, 1_000


def simulate(people: int, seed: int) -> Iterator[tuple[str, str]]:
    """Typings drawn from the starter set; equal seeds give equal people.

    Args:
        people: how many.
        seed: any integer.

    Yields:
        (resolution, a key of `RESOLUTIONS`; typing as a GL String).
    """
    chosen = random.Random(seed)  # noqa: S311 - simulation, not cryptography
    known = starter.frequency_set()
    haplotypes = [h.split("~") for h in known.haplotypes]
    families: dict[str, list[str]] = {}
    for name in (name for names in known.alleles for name in names):
        families.setdefault(name.split(":")[0], []).append(name)
    edges = np.cumsum(known.frequencies).tolist()
    kinds, shares = list(RESOLUTIONS), list(RESOLUTIONS.values())
    for _ in range(people):
        kind = chosen.choices(kinds, shares)[0]
        one, two = chosen.choices(haplotypes, cum_weights=edges, k=2)
        blocks = []
        for locus, first, second in zip(MATCH_LOCI, one, two, strict=True):
            if kind == "low" and locus not in _LOW_LOCI:
                continue
            blocks.append("+".join(_written(name, kind, families, chosen) for name in (first, second)))
        yield kind, "^".join(blocks)


def _written(name: str, kind: str, families: dict[str, list[str]], chosen: random.Random) -> str:
    family = name.split(":")[0]
    if kind == "low":
        return f"{family}:XX"
    if kind == "ambiguous" and chosen.random() < 0.5:
        others = chosen.choices(families[family], k=2)
        return "/".join(sorted({name, *others}))
    return name


def run(donors: int, patients: int = 20, seed: int = 1, out: TextIO | None = None) -> dict[str, Any]:
    """Measure build, opening, search and matching; print a line for each.

    Args:
        donors: size of the register. patients: unseen patients searched, after a first one.
        seed: of the simulation.
        out: where lines go; standard output by default.

    Returns:
        the figures by name: seconds, ``donors_per_second``, ``index_bytes``, ``scan_ratio``, ``peak_bytes``
        (None where the system does not tell).
    """
    figures: dict[str, Any] = {"donors": donors, "patients": patients, "seed": seed}

    def say(what: str, value: str) -> None:
        print(f"   {what:<34} {value}", file=out or sys.stdout, flush=True)

    say("machine", f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        figures["build"] = _build(folder, donors, seed)
        figures["donors_per_second"] = donors / figures["build"]
        say("build", f"{figures['build']:.2f} s, {figures['donors_per_second']:,.0f} donors/s")
        figures["index_bytes"] = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
        say("index", f"{figures['index_bytes'] / 1e6:.1f} MB, {figures['index_bytes'] / donors:.0f} bytes a donor")
        figures["open"], opened = _timed(lambda: Index.open(folder))
        figures["prepare"], searcher = _timed(lambda: search.Searcher(opened))
        say("open, make the searcher", f"{figures['open'] * 1e3:.1f} ms, {figures['prepare'] * 1e3:.1f} ms")
        _searches(searcher, patients, seed, figures, say)
        _limit(opened, figures, say)
    _match(min(donors, _MATCHED_DONORS), seed, figures, say)
    figures["peak_bytes"] = _peak()
    if figures["peak_bytes"]:
        say("peak memory", f"{figures['peak_bytes'] / 1e6:.0f} MB")
    return figures


def _build(folder: str, donors: int, seed: int) -> float:
    chosen = starter.frequency_set()
    rows = [DonorRow(f"D{i:08}", text, chosen.name) for i, (_, text) in enumerate(simulate(donors, seed))]
    return _timed(lambda: index.build(folder, rows, frequency_sets=[chosen], nomenclature=starter.nomenclature()))[0]


def _searches(
    searcher: search.Searcher, patients: int, seed: int, figures: dict[str, Any], say: Callable[[str, str], None]
) -> None:
    """A first search, then unseen patients, the three resolutions in turn; 10/10 and 9/10, 1,000 described."""
    waiting: dict[str, list[str]] = {kind: [] for kind in RESOLUTIONS}
    for kind, typing in simulate(20 * (patients + 10), seed + 1_000_003):
        waiting[kind].append(typing)
    kinds = [kind for _ in range(patients) for kind in RESOLUTIONS][: patients + 1]
    unseen = [(kind, waiting[kind].pop()) for kind in kinds]
    seconds, found = [], []
    for _, typing in unseen:
        taken, result = _timed(lambda typing=typing: searcher.search(typing, limit=1_000))  # type: ignore[misc]
        seconds.append(taken)
        found.append(result.found)
    figures["first_search"] = seconds[0]
    say("first search", f"{seconds[0] * 1e3:.1f} ms")
    warm = {"all": seconds[1:]}
    for (kind, _), taken in zip(unseen[1:], seconds[1:], strict=True):
        warm.setdefault(kind, []).append(taken)
    for kind, values in warm.items():
        p50, p95, most = (float(np.quantile(values, q)) for q in (0.5, 0.95, 1.0))
        figures[f"search_{kind}"] = {"p50": p50, "p95": p95, "max": most}
        say(
            f"search, {kind} ({len(values)})",
            f"p50 {p50 * 1e3:.1f} ms, p95 {p95 * 1e3:.1f} ms, max {most * 1e3:.1f} ms",
        )
    say("donors found", f"median {np.median(found):,.0f}, most {max(found):,}")


def _limit(opened: Index, figures: dict[str, Any], say: Callable[[str, str], None]) -> None:
    """Reading the code columns once, beside the median search."""
    columns = [opened.segment.codes[column] for column in COLUMNS]
    size = sum(column.nbytes for column in columns)
    figures["scan_limit"] = min(_timed(lambda: [column.max(initial=0) for column in columns])[0] for _ in range(5))
    figures["scan_ratio"] = figures["search_all"]["p50"] / figures["scan_limit"]
    block = np.ones(1 << 24, np.uint8)
    copy = min(_timed(block.copy)[0] for _ in range(5))
    say(
        "limit: one scan of the codes",
        f"{figures['scan_limit'] * 1e3:.2f} ms for {size / 1e6:.1f} MB "
        f"({size / figures['scan_limit'] / 1e9:.1f} GB/s; copying 16 MB: {2 * block.nbytes / copy / 1e9:.1f} GB/s)",
    )
    say("median search ÷ limit", f"{figures['scan_ratio']:.0f}")


def _match(donors: int, seed: int, figures: dict[str, Any], say: Callable[[str, str], None]) -> None:
    """The matching exercise in memory: parsed subjects in, all kept rows out."""
    imputer = Imputer(starter.frequency_set(), starter.nomenclature())

    def people(count: int, seed: int) -> list[Subject]:
        return [Subject(f"S{i}", parse(t), "", i, 0) for i, (_, t) in enumerate(simulate(count, seed), 1)]

    patients, others = people(_MATCHED_PATIENTS, seed + 1), people(donors, seed + 2)
    figures["impute"], (one, two) = _timed(
        lambda: (exercise.impute_subjects(imputer, patients), exercise.impute_subjects(imputer, others))
    )
    figures["match"], kept = _timed(lambda: sum(1 for _ in exercise.match(one, two, imputer)))
    say("impute", f"{figures['impute']:.2f} s, {(len(patients) + donors) / figures['impute']:,.0f} typings/s")
    say(f"match {len(patients)} × {donors:,}", f"{figures['match']:.2f} s, {kept:,} pairs kept")


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _peak() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


__all__: Sequence[str] = ["RESOLUTIONS", "run", "simulate"]
