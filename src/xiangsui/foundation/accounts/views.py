from typing import Any

from allauth.account.views import LoginView
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from xiangsui.foundation.kit.errors import NotAllowed

from . import demo, selectors
from .middleware import SESSION_KEY
from .requests import WorkRequest


class SignIn(LoginView):
    """allauth's sign-in page, which on a demonstration site also names its accounts."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "demo_sign_ins": demo.demo_sign_ins()}


@require_POST
@login_required
def switch_assignment(request: WorkRequest) -> HttpResponse:
    """Work under another of one's own assignments from now on."""
    wanted = request.POST.get("assignment", "")
    if not any(str(own.uuid) == wanted for own in selectors.assignments_of(user=request.user)):
        raise NotAllowed(_("您没有这个任职，或任职已经到期。"), code="assignment.not_yours")
    request.session[SESSION_KEY] = wanted
    return redirect("home")
