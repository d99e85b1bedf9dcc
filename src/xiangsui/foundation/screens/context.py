"""What the base template needs on every page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from xiangsui.foundation.accounts import selectors

from .registry import navigation_for


def page(request: HttpRequest) -> dict[str, Any]:
    assignment = getattr(request, "assignment", None)
    match = request.resolver_match

    def navigation() -> list[dict[str, Any]]:
        entries = [
            {"label": item.label, "url": reverse(item.url_name), "icon": item.icon, "active": False, "children": []}
            for item in navigation_for(assignment)
        ]
        # The nearest entry: a room may have several, and its further pages lie below one of them.
        around = [entry for entry in entries if request.path.startswith(entry["url"])]
        if around:
            max(around, key=lambda entry: len(entry["url"]))["active"] = True
        home: dict[str, Any] = {
            "label": _home_label(),
            "url": reverse("home"),
            "icon": "house",
            "active": bool(match and match.url_name == "home"),
            "children": [],
        }
        return [home, *entries] if assignment else []

    def assignments() -> list[dict[str, Any]]:
        own = selectors.assignments_of(user=request.user) if request.user.is_authenticated else []
        return [
            {"id": item.uuid, "label": str(item), "active": item == assignment, "until": item.valid_until}
            for item in own
        ]

    return {
        "assignment": assignment,
        "navigation": SimpleLazyObject(navigation),
        "assignments": SimpleLazyObject(assignments),
    }


def _home_label() -> str:
    from django.utils.translation import gettext

    return gettext("首页")
