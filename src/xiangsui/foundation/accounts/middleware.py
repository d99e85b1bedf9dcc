"""Every request works under one assignment, and sees what lies below its organisation."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django_scopes import scope

from . import selectors
from .models import Assignment

SESSION_KEY = "assignment"


class WorkRequest(HttpRequest):
    """A request as views receive it: `assignment` is None for visitors and for people without a term."""

    assignment: Assignment | None


class AssignmentMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: WorkRequest) -> HttpResponse:
        request.assignment = None
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
