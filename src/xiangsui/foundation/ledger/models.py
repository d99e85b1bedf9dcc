from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit.ids import uuid7

from . import canonical


class EventQuerySet(models.QuerySet["Event"]):
    """Rows that are only ever added, by `services.events_append`."""

    def update(self, **values: Any) -> NoReturn:
        raise TypeError("the ledger is append-only: correct an event by another one")

    def delete(self) -> NoReturn:
        raise TypeError("the ledger is append-only: correct an event by another one")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("the ledger is append-only: correct an event by another one")


class Event(models.Model):
    """One fact. Opaque identifiers only: no identity, no free text, no foreign keys."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chain = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    kind = models.CharField(_("事件"), max_length=60)
    organisation = models.UUIDField(_("组织"))
    subject = models.UUIDField(_("对象"))
    actor = models.UUIDField(_("经办"), null=True)
    occurred_at = models.DateTimeField(_("发生时间"))
    recorded_at = models.DateTimeField(_("记录时间"))
    delta = models.IntegerField(_("增减"), default=0)
    corrects = models.UUIDField(_("更正"), null=True)
    body = models.TextField()
    digest = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("台账事件")
        verbose_name_plural = _("台账事件")
        constraints = [models.UniqueConstraint(fields=["chain", "sequence"], name="event_place_in_chain")]
        indexes = [
            # A subject's story; a kind's rows by organisation and day; what arrived since a moment.
            models.Index(fields=["subject", "occurred_at"]),
            models.Index(fields=["kind", "organisation", "occurred_at"]),
            models.Index(fields=["kind", "occurred_at"]),
            models.Index(fields=["recorded_at", "uuid"]),
            # What a figure adds to its daily totals: what was recorded since.
            models.Index(fields=["kind", "recorded_at"]),
            models.Index(fields=["corrects"], condition=models.Q(corrects__isnull=False), name="event_corrections"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("events are written by ledger.services.events_append")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("the ledger is append-only: correct an event by another one")

    @property
    def details(self) -> dict[str, Any]:
        """The codes and numbers that came with the event."""
        import json

        return dict(json.loads(self.body)["details"])


class ChainHead(models.Model):
    """The last link of an organisation's chain; locked by whoever appends."""

    chain = models.UUIDField(primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, default=canonical.GENESIS)
    # A closed chain takes no more events: its organisation was merged or split. What is still recorded of its rows
    # goes into the chain of its heir.
    closed_at = models.DateTimeField(null=True)
    heir = models.UUIDField(null=True)
