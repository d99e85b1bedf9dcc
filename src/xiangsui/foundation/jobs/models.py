from django.db import models
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit.ids import uuid7


class Job(models.Model):
    """One piece of background work as its owner sees it; the queue's own row is `task`.

    A job is identified by the same UUID as its task. `lease_until` lies ahead while a worker holds it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("等待中")
        RUNNING = "running", _("进行中")
        SUCCEEDED = "succeeded", _("已完成")
        FAILED = "failed", _("未完成")

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=100)
    # Opaque: accounts and orgs stand above this room.
    owner = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["state", "lease_until"]),
            models.Index(fields=["kind", "state"]),
            models.Index(fields=["owner", "-created_at"]),
        ]

    @property
    def label(self) -> str:
        """What the job does, in the reader's language."""
        from .registry import title_of

        return title_of(self.kind)

    @property
    def percent(self) -> int:
        """Whole percent done, 0..100; 0 while the total is unknown."""
        return min(100, self.done * 100 // self.total) if self.total else 0
