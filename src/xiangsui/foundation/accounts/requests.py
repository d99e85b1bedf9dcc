"""The request as views receive it, for the type checker."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from .models import Assignment, User


class WorkRequest(HttpRequest):
    """A request that passed `screens.access`: somebody is signed in and works under an assignment."""

    user: User
    assignment: Assignment
    htmx: HtmxDetails
