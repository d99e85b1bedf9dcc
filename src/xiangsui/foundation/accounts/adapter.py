from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _


class AccountAdapter(DefaultAccountAdapter):
    """Nobody opens an account for himself, and demonstration accounts stay out of production."""

    error_messages = DefaultAccountAdapter.error_messages

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        if user.is_demo and not settings.DEMO_ALLOWED:
            from xiangsui.foundation.kit.errors import NotAllowed

            raise NotAllowed(_("演示账号不能用于正式系统。请联系管理员开通账号。"), code="account.demo")
        return super().pre_login(request, user, **kwargs)
