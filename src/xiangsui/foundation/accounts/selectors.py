from __future__ import annotations

from django.db.models import QuerySet

from .models import Assignment, User


def assignments_of(*, user: User) -> QuerySet[Assignment]:
    """The assignments a person may work under today, in the order of their organisations."""
    return (
        Assignment.objects.on()
        .filter(user=user)
        .select_related("organisation")
        .order_by("organisation__path", "role", "pk")
    )


def assignment_current(*, user: User, wanted: str | None) -> Assignment | None:
    """The assignment chosen in this session, if it is still in force; otherwise the first one; None without any."""
    available = list(assignments_of(user=user))
    for assignment in available:
        if str(assignment.uuid) == wanted:
            return assignment
    return available[0] if available else None
