"""What a state machine is made of. A room's `workflow.py` holds one `Machine` and nothing else.

DONOR = Machine(
    name="donor", title=_("志愿捐献者"), states=(State("lead", _("意向")), …),
    transitions=(Transition("enrol", _("登记"), sources=("lead",), target="enrolled", allowed=may_register), …),
    stocks={"donors.listed": ("listed", "reserved")},
)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit import clock
from xiangsui.foundation.ledger.models import Event


class Stateful(models.Model):
    """A model whose rows have a state: `status`, which the room declares with its choices, and since when."""

    status_since = models.DateTimeField()

    class Meta:
        abstract = True


@dataclass(frozen=True)
class State:
    """A state: its code in the database, its words, and the code other registries know it by."""

    code: str
    label: Any
    wmda: str = ""
    final: bool = False


@dataclass(frozen=True)
class Guard:
    """A condition of a transition: `holds(row, step)`; `message` says what is missing and what to do."""

    code: str
    message: Any
    holds: Callable[[Any, Step], bool]


@dataclass(frozen=True)
class Field:
    """Something that must be said with a transition and is recorded: a code, a date or a whole number."""

    name: str
    label: Any
    kind: str = "code"  # code, date, int
    choices: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True)
class Transition:
    """One arrow of a machine.

    Attributes:
        allowed: which assignments may take it; the row must also lie within their scope.
        guards: what must hold; a fact that happened against a guard is recorded as a breach (补录).
        fields: what must be said with it.
        effects: called with all rows of the step, in its transaction: follow-on work, dependent rows.
        undo_effects: called with the row and the event that is taken back, in the same way.
        undoable: whether a mis-click may be taken back.
        automatic: whether the system's own clockwork may take it (a deferral that ends, an age that is reached).
        tone: how its button looks: `primary`, `plain`, `danger`.
    """

    name: str
    label: Any
    sources: tuple[str, ...]
    target: str
    allowed: Callable[[Assignment], bool]
    guards: tuple[Guard, ...] = ()
    fields: tuple[Field, ...] = ()
    effects: tuple[Callable[[Step], None], ...] = ()
    undo_effects: tuple[Callable[[Any, Event], None], ...] = ()
    undoable: bool = True
    automatic: bool = False
    tone: str = "plain"


@dataclass(frozen=True)
class Step:
    """One taking of a transition, by somebody, for some rows: what guards and effects are told.

    Attributes:
        assignment: None where the system's own clockwork takes it.
        late: recorded afterwards; `occurred_at` is when it really happened.
        second: the second person of a late record.
        values: what the transition's fields were given.
    """

    machine: Machine
    transition: Transition
    rows: tuple[Any, ...]
    assignment: Assignment | None
    occurred_at: dt.datetime
    values: Mapping[str, Any]
    late: bool = False
    second: Assignment | None = None

    @property
    def day(self) -> dt.date:
        """The day it happened, in Beijing."""
        return self.occurred_at.astimezone(clock.BEIJING).date()


@dataclass(frozen=True)
class Machine:
    """A state machine over a model with `status`, `status_since` and `organisation`.

    Attributes:
        stocks: event kind → states that belong to the stock; entering appends +1, leaving −1 of that kind.
    """

    name: str
    title: Any
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    stocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        codes = {state.code for state in self.states}
        names = [transition.name for transition in self.transitions]
        if len(codes) != len(self.states) or len(set(names)) != len(names):
            raise ValueError(f"the machine {self.name} names a state or a transition twice")
        for transition in self.transitions:
            if unknown := {*transition.sources, transition.target} - codes:
                raise ValueError(f"{self.name}.{transition.name} names the unknown states {sorted(unknown)}")
        for kind, members in self.stocks.items():
            if unknown := set(members) - codes:
                raise ValueError(f"the stock {kind} names the unknown states {sorted(unknown)}")
        _machines[self.name] = self

    def state(self, code: str) -> State:
        """The state of that code."""
        return next(state for state in self.states if state.code == code)

    def transition(self, name: str) -> Transition:
        """The transition of that name."""
        return next(transition for transition in self.transitions if transition.name == name)

    @property
    def kinds(self) -> list[str]:
        """The event kinds of its transitions."""
        return [f"{self.name}.{transition.name}" for transition in self.transitions]

    def stock_changes(self, source: str | None, target: str | None) -> list[tuple[str, int]]:
        """(event kind, ±1) for every stock that a move enters or leaves; None stands for outside the machine."""
        changes = []
        for kind, members in self.stocks.items():
            change = (target in members) - (source in members)
            if change:
                changes.append((kind, change))
        return changes


_machines: dict[str, Machine] = {}


def machines() -> list[Machine]:
    """Every machine of the installed rooms, by name."""
    return [_machines[name] for name in sorted(_machines)]
