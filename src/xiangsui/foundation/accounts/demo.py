"""The sign-ins that a demonstration site shows on its sign-in page. The demonstration registers them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.conf import settings

from .models import Assignment
from .roles import Role


@dataclass(frozen=True)
class Registered:
    """Accounts that all have the same, published password."""

    password: str
    usernames: tuple[str, ...]


_registered: list[Registered] = []


def register_demo(registered: Registered) -> None:
    """Show these accounts where they exist; called from an `AppConfig.ready`."""
    if registered not in _registered:
        _registered.append(registered)


def demo_sign_ins() -> list[dict[str, Any]]:
    """Groups of one role each, in the order of `Role`: `{label, accounts: {label, username, password}}`.

    Empty where demonstration accounts may not sign in, and where there are none.
    """
    if not settings.DEMO_ALLOWED:
        return []
    passwords = {name: known.password for known in _registered for name in known.usernames}
    order = {value: place for place, value in enumerate(Role.values)}
    own = (
        Assignment.objects.on()
        .filter(user__is_demo=True, user__is_active=True, user__username__in=passwords)
        .select_related("user", "organisation")
    )
    found = sorted(own, key=lambda item: (order[item.role], item.user.username))
    return [
        {
            "label": Role(role).label,
            "accounts": [
                {
                    "label": str(item.organisation),
                    "username": item.user.username,
                    "password": passwords[item.user.username],
                }
                for item in items
            ],
        }
        for role, items in groupby(found, key=lambda item: item.role)
    ]
