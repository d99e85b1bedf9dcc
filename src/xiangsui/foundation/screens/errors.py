"""Error pages: one sentence of what happened, one of what to do; never a traceback, never an identity."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from xiangsui.foundation.kit.errors import Refusal

logger = logging.getLogger("xiangsui.screens")


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The page (or, for htmx, the alert) of a refusal."""
    template = "screens/refusal_fragment.html" if getattr(request, "htmx", False) else "screens/refusal.html"
    return render(request, template, {"refusal": refusal}, status=refusal.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent after its session ended, or from elsewhere."""
    logger.info("refused a form: %s", reason)
    return refusal_page(
        request,
        Refusal(_("这个页面放得太久，登录已经过期。请返回上一页刷新后再提交。"), code="form.expired", status=403),
    )
