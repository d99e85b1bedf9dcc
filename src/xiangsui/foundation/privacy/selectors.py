from __future__ import annotations

from django.db.models import QuerySet

from .models import LookupToken
from .services import digest


def subjects_by_token(*, family: str, kind: str, value: str) -> QuerySet[LookupToken]:
    """The people of a family who bear a value: a queryset of `subject`, for use in a subquery."""
    found = digest(family=family, kind=kind, value=value)
    return LookupToken.objects.filter(family=family, kind=kind, digest=found).values("subject")  # type: ignore[return-value]
