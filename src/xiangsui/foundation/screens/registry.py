"""What rooms put on the shared pages: entries of the navigation, things on the home page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from xiangsui.foundation.accounts.models import Assignment

Allowed = Callable[[Assignment], bool]


@dataclass(frozen=True)
class NavigationItem:
    """An entry of the navigation; `namespace` is what makes it the active one."""

    label: Any
    url_name: str
    icon: str
    allowed: Allowed
    order: int = 50

    @property
    def namespace(self) -> str:
        return self.url_name.split(":")[0]


@dataclass(frozen=True)
class HomeCard:
    """A number on the home page: `count(assignment)` gives rows that `url` opens."""

    label: Any
    allowed: Allowed
    count: Callable[[Assignment], int]
    url: Callable[[Assignment], str]
    hint: Any = ""
    order: int = 50


@dataclass(frozen=True)
class HomeAction:
    """What a role does most, one click from the home page."""

    label: Any
    url_name: str
    icon: str
    allowed: Allowed
    hint: Any = ""
    order: int = 50


@dataclass
class _Registry:
    navigation: list[NavigationItem] = field(default_factory=list)
    home: list[HomeCard] = field(default_factory=list)
    actions: list[HomeAction] = field(default_factory=list)


_registry = _Registry()


def register_navigation(item: NavigationItem) -> None:
    """Add an entry; called from a room's `AppConfig.ready`."""
    _registry.navigation.append(item)


def register_home(card: HomeCard) -> None:
    """Add a number to the home page; called from a room's `AppConfig.ready`."""
    _registry.home.append(card)


def register_action(action: HomeAction) -> None:
    """Add a button to the home page; called from a room's `AppConfig.ready`."""
    _registry.actions.append(action)


def navigation_for(assignment: Assignment | None) -> Iterable[NavigationItem]:
    """The entries this assignment may open, in order."""
    if assignment is None:
        return []
    return sorted((item for item in _registry.navigation if item.allowed(assignment)), key=lambda i: i.order)


def home_for(assignment: Assignment | None) -> list[HomeCard]:
    """The home page's numbers for this assignment, in order."""
    if assignment is None:
        return []
    return sorted((card for card in _registry.home if card.allowed(assignment)), key=lambda c: c.order)


def actions_for(assignment: Assignment | None) -> list[HomeAction]:
    """The home page's buttons for this assignment, in order."""
    if assignment is None:
        return []
    return sorted((action for action in _registry.actions if action.allowed(assignment)), key=lambda a: a.order)
