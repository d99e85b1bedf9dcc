"""What an indicator is. A room's `indicators.py` declares its own; dashboards, targets, exports and API read them.

Every event that is counted carries a signed delta: +1 for what happened, −1 for its correction. So counts and stocks
are sums over one indexed column: a count between two days, a stock up to one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from xiangsui.foundation.accounts.models import Assignment

KINDS = ("count", "stock", "ratio", "distinct", "duration")


@dataclass(frozen=True)
class Indicator:
    """A declared figure.

    Attributes:
        code: stable dotted name, `donors.listed`.
        title, unit, meaning: for the definition page, translated.
        kind: `count` (sum of deltas in a period), `stock` (sum up to a day), `ratio` of two others, `distinct`
            (subjects with a positive sum in a period), `duration` (days between two kinds of event of one subject).
        events: the event kinds that are summed; for a duration the kind it ends with.
        begins: for a duration, the kind it begins with.
        numerator, denominator: codes, for a ratio; `scale` multiplies it (100 for percent, 1000 for per thousand).
        source: where the definition comes from.
        drill: address of the rows behind it for an assignment, or None.
        public_minimum: cells smaller than the rule `privacy.small_cell` are hidden in public where this is true.
    """

    code: str
    title: Any
    unit: Any
    meaning: Any
    kind: str
    events: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    numerator: str = ""
    denominator: str = ""
    scale: int = 1
    source: str = ""
    drill: Callable[[Assignment], str] | None = None
    public_minimum: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.code}: {self.kind!r} is not a kind of indicator")
        if (self.kind == "ratio") != bool(self.numerator and self.denominator):
            raise ValueError(f"{self.code}: a ratio, and only a ratio, has numerator and denominator")
        if (self.kind == "duration") != bool(self.begins):
            raise ValueError(f"{self.code}: a duration, and only a duration, has a beginning")
        if _declared.setdefault(self.code, self) is not self:
            raise ValueError(f"the indicator {self.code} is declared twice")


_declared: dict[str, Indicator] = {}


def indicators() -> list[Indicator]:
    """Every declared indicator, by code."""
    return [_declared[code] for code in sorted(_declared)]


def find(code: str) -> Indicator:
    """The indicator of that code.

    Raises:
        KeyError: none is declared.
    """
    return _declared[code]
