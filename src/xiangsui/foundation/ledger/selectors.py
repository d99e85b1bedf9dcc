from __future__ import annotations

import uuid

from django.db.models import QuerySet

from .models import Event


def story(*, subject: uuid.UUID) -> QuerySet[Event]:
    """All events of a subject in the order they happened."""
    return Event.objects.filter(subject=subject).order_by("occurred_at", "uuid")
