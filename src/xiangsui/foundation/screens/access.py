"""Who gets into a view: signed in, under an assignment, and allowed by the room's permission function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit.errors import NotAllowed


def check(request: HttpRequest, allowed: Callable[[Assignment], bool]) -> HttpResponse | None:
    """None where the request may go on; the sign-in page for visitors.

    Raises:
        NotAllowed: signed in, but without a term in force or in a role that may not do this.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    assignment: Assignment | None = getattr(request, "assignment", None)
    if assignment is None:
        raise NotAllowed(_("您的任职已到期或尚未开始，请联系管理员。"), code="assignment.none")
    if not allowed(assignment):
        raise NotAllowed(_("您当前的身份“%(role)s”不能使用这个页面。") % {"role": assignment}, code="role.not_allowed")
    return None


def requires(allowed: Callable[[Assignment], bool]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of a function view: only under an assignment for which `allowed` is true."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return check(request, allowed) or view(request, *args, **kwargs)

        guarded.allowed = allowed  # type: ignore[attr-defined]
        return guarded

    return decorate
