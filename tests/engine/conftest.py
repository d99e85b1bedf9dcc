"""Shared pieces of the engine's tests."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hlaengine import nomenclature, starter

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared(name: str) -> Path:
    """A reference file that lies beside the repository and is never committed; skip where it is absent."""
    for root in (SHARED, Path(__file__).resolve().parents[2] / "../shared"):
        if (root / name).exists():
            return root / name
    pytest.skip(f"reference data ../shared/{name} is absent")


@pytest.fixture
def no_nomenclature():
    """A nomenclature without an allele: only the set's own names are known."""
    return nomenclature.Nomenclature("none", "0", {}, {})


@pytest.fixture(scope="session")
def demo_donors():
    """Three hundred donors drawn from the starter set, some with loci missing or low resolution."""
    chosen, names = random.Random(7), starter.frequency_set()
    lines = []
    for number in range(300):
        one, two = (h.split("~") for h in chosen.choices(names.haplotypes, names.frequencies.tolist(), k=2))
        loci = range(5) if chosen.random() < 0.7 else (0, 2, 3)
        parts = []
        for locus in loci:
            first = one[locus]
            if chosen.random() < 0.15 and not first.endswith("N"):
                first = first.split(":")[0] + ":XX"
            parts.append(f"{first}+{two[locus]}")
        lines.append((f"D{number:04}", "^".join(parts)))
    return lines
