"""What the demo runs on: a synthetic frequency set and a starter nomenclature. Say "synthetic" wherever they
serve.

The published haplotypes (`PUBLISHED_SOURCE`) stand at their published frequencies; the tail is invented by
`hlaengine.data.generate`. A registry estimates its own set from its own typed donors.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from . import frequencies
from . import nomenclature as nomenclature_
from .data.generate import PUBLISHED
from .data.generate import SOURCE as PUBLISHED_SOURCE
from .frequencies import FrequencySet
from .nomenclature import Nomenclature

__all__ = ["PUBLISHED", "PUBLISHED_SOURCE", "frequency_set", "nomenclature"]


@cache
def nomenclature() -> Nomenclature:
    """The alleles of the demo's set and some common neighbours; not a release of IPD-IMGT/HLA."""
    return nomenclature_.from_text(_text("starter_nomenclature.csv"), "starter_nomenclature.csv")


@cache
def frequency_set() -> FrequencySet:
    """The synthetic set, five loci, two fields."""
    return frequencies.from_text(_text("starter_haplotypes.csv"), "starter_haplotypes.csv")


def _text(name: str) -> str:
    return files("hlaengine.data").joinpath(name).read_text(encoding="utf-8")
