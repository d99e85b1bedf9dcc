"""Every request works under one assignment, and sees what lies below its organisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django_scopes import scope

from . import selectors

SESSION_KEY = "assignment"


class AssignmentMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.assignment = None
        if request.user.is_authenticated and request.user.is_demo and not settings.DEMO_ALLOWED:
            # A session opened before the site went into production ends here.
            logout(request)
        if request.user.is_authenticated:
            request.assignment = selectors.assignment_current(
                user=request.user, wanted=request.session.get(SESSION_KEY)
            )
        if request.assignment is None:
            return self.get_response(request)
        # The tripwire: a scoped model queried outside a scope raises. Selectors do the filtering. The response's
        # lazy parts are rendered inside: Django renders TemplateResponse before it comes back through here.
        with scope(tree=request.assignment.tree):
            return self.get_response(request)
