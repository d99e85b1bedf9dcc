from __future__ import annotations

import datetime as dt

from django.db import transaction

from xiangsui.foundation.kit import clock
from xiangsui.foundation.orgs.models import Organisation

from .models import Assignment, User


@transaction.atomic
def user_open(
    *,
    username: str,
    name: str,
    password: str,
    assignments: list[tuple[str, Organisation]],
    valid_from: dt.date | None = None,
    is_demo: bool = False,
) -> User:
    """Open an account with its assignments, or return the one of that username unchanged."""
    existing = User.objects.filter(username=username).first()
    if existing is not None:
        return existing
    user = User.objects.create_user(username, password, name=name, is_demo=is_demo)
    Assignment.objects.bulk_create(
        Assignment(user=user, role=role, organisation=organisation, valid_from=valid_from or clock.today())
        for role, organisation in assignments
    )
    return user
