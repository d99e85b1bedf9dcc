from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from xiangsui.foundation.accounts.models import Assignment

from .table import Machine, Transition


def transitions_open(*, machine: Machine, row: Any, assignment: Assignment) -> list[Transition]:
    """The transitions this assignment may take from the row's present state: its buttons."""
    if not assignment.covers(row.organisation):
        return []
    return [t for t in machine.transitions if row.status in t.sources and t.allowed(assignment)]


@dataclass(frozen=True)
class Arrow:
    """An arrow of the picture: from and to row, and how far right it bows (0: straight down)."""

    label: Any
    source: int
    target: int
    bow: int

    @property
    def path(self) -> str:
        """The SVG path of the arrow."""
        y1, y2 = _middle(self.source), _middle(self.target)
        if self.bow == 0:
            return f"M {_LEFT + 60} {y1 + _HALF} L {_LEFT + 60} {y2 - _HALF - 6}"
        x = _LEFT + _WIDTH
        return f"M {x} {y1} C {x + self.bow} {y1}, {x + self.bow} {y2}, {x + 6} {y2}"

    @property
    def text_x(self) -> int:
        return _LEFT + 70 if self.bow == 0 else _LEFT + _WIDTH + int(self.bow * 0.75) + 4

    @property
    def text_y(self) -> int:
        return (_middle(self.source) + _middle(self.target)) // 2 + 4


_LEFT, _WIDTH, _HALF, _ROW = 10, 150, 16, 74


def _middle(row: int) -> int:
    return 30 + row * _ROW


@dataclass(frozen=True)
class Picture:
    """A machine as a drawing: states below each other, arrows between them."""

    machine: Machine
    boxes: list[dict[str, Any]]
    arrows: list[Arrow]
    width: int
    height: int

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The transitions in words, for the table below the drawing."""

        def named(codes: tuple[str, ...]) -> str:
            if len(codes) >= len(self.machine.states) - 1:
                return str(_("任何状态"))
            return "、".join(str(self.machine.state(code).label) for code in codes)

        return [
            {"transition": t, "sources": named(t.sources), "target": self.machine.state(t.target).label}
            for t in self.machine.transitions
        ]


def picture(machine: Machine) -> Picture:
    """Draw a machine from its table. Arrows that come from (nearly) everywhere are left to the table beside it."""
    place = {state.code: row for row, state in enumerate(machine.states)}
    arrows = []
    for transition in machine.transitions:
        if len(transition.sources) > 3:
            continue
        for source in transition.sources:
            step = place[transition.target] - place[source]
            arrows.append(
                Arrow(
                    transition.label,
                    place[source],
                    place[transition.target],
                    0 if step == 1 else 40 + 26 * abs(step) + (90 if step < 0 else 0),
                )
            )
    width = _LEFT + _WIDTH + max((arrow.bow for arrow in arrows), default=0) + 120
    boxes = [
        {
            "state": state,
            "x": _LEFT,
            "y": _middle(row) - _HALF,
            "width": _WIDTH,
            "height": 2 * _HALF,
            "text_y": _middle(row) + 5,
        }
        for row, state in enumerate(machine.states)
    ]
    return Picture(machine, boxes, arrows, width, 30 + len(boxes) * _ROW)
