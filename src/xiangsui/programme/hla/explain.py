"""A hit in plain words: each locus as two cells, and sentences that say why the donor stands where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from hlaengine.typings import MATCH_LOCI

from . import wording

LOCI: tuple[str, ...] = MATCH_LOCI
# Sums of products of frequencies: the engine's kernels agree to this, so nearer to 0 or 1 nothing can be told apart.
_EXACT = 1e-12


@dataclass(frozen=True)
class LocusView:
    """A locus of a hit for the eye.

    Attributes:
        cells: two of `matched`, `possible`, `mismatch`, `untyped`.
        label: the text alternative of the two cells.
    """

    name: str
    cells: tuple[str, str]
    label: str
    patient_text: str
    donor_text: str
    both: float | None
    one: float | None

    @property
    def both_text(self) -> str:
        return probability_text(self.both)


def probability_text(value: float | None) -> str:
    """A probability as it is shown: never 0 % or 100 % unless it is so to the engine's last digit."""
    if value is None:
        return "—"
    if value < _EXACT:
        return "0%"
    if value > 1 - _EXACT:
        return "100%"
    if value < 0.0001:
        return "<0.01%"
    if value > 0.9999:
        return ">99.99%"
    return f"{value * 100:.2f}%" if value < 0.1 or value > 0.995 else f"{value * 100:.1f}%"


def _listed(words: Iterable[str]) -> str:
    """Words in a row, with the comma of the reader's language."""
    return pgettext("between words of a list", "、").join(words)


def _cells(low: int, high: int, typed: bool) -> tuple[str, str]:
    if not typed:
        return ("untyped", "untyped")
    cells = ["matched"] * low + ["possible"] * (high - low) + ["mismatch"] * (2 - high)
    return (cells[0], cells[1])


def loci_of(hit: Any) -> list[LocusView]:
    """The five loci of a hit, in the order of every table."""
    words = {
        "matched": _("相合"),
        "possible": _("可能相合"),
        "mismatch": _("不合"),
        "untyped": _("未检测"),
    }
    views = []
    for locus in LOCI:
        found = hit.loci[locus]
        cells = _cells(found.possible_min, found.possible_max, bool(found.patient and found.donor))
        views.append(
            LocusView(
                name=locus,
                cells=cells,
                label=_listed(words[cell] for cell in cells),
                patient_text=found.patient,
                donor_text=found.donor,
                both=found.both,
                one=found.one,
            )
        )
    return views


def reason_text(hit: Any) -> str:
    """Why a hit has no probabilities; empty where it has."""
    return wording.reason(hit.reason) if hit.reason else ""


def sentences(hit: Any) -> list[str]:
    """The line explained: the count, the certain mismatches, what is open, what was not typed, the probability."""
    views = loci_of(hit)

    def named(cell: str) -> str:
        return _listed(view.name for view in views if cell in view.cells)

    lines = []
    if hit.count_min == hit.count_max:
        lines.append(_("十个等位基因中，按现有分型正好有%(count)s个相合。") % {"count": hit.count_max})
    else:
        lines.append(
            _("十个等位基因中，最少%(low)s个、最多%(high)s个相合；要确定需要更高分辨的分型。")
            % {"low": hit.count_min, "high": hit.count_max}
        )
    if loci := named("mismatch"):
        lines.append(_("%(loci)s 确定有不合。") % {"loci": loci})
    if loci := named("possible"):
        lines.append(_("%(loci)s 的分型有多种可能，还不能确定是否相合。") % {"loci": loci})
    if loci := named("untyped"):
        lines.append(_("%(loci)s 未检测，按人群单倍型频率推算，不算作相合。") % {"loci": loci})
    if hit.p_10 is None:
        lines.append(reason_text(hit))
    else:
        lines.append(
            _("按频率集推算：十个全相合的概率为%(ten)s，正好九个相合的概率为%(nine)s。")
            % {"ten": probability_text(hit.p_10), "nine": probability_text(hit.p_9)}
        )
    return lines
