from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db.models import QuerySet

from .models import Event


def story(*, subject: uuid.UUID) -> QuerySet[Event]:
    """All events of a subject in the order they happened."""
    return Event.objects.filter(subject=subject).order_by("occurred_at", "uuid")


def events_of(*, kinds: Sequence[str], organisations: Sequence[uuid.UUID]) -> QuerySet[Event]:
    """Events of some kinds in some organisations, newest first."""
    return Event.objects.filter(kind__in=kinds, organisation__in=organisations).order_by("-occurred_at", "-uuid")
