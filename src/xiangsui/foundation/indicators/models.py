from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit.ids import uuid7


class DailyTotal(models.Model):
    """The sum of deltas of one event kind in one organisation on one day (Beijing), up to the watermark."""

    kind = models.CharField(max_length=60)
    organisation = models.UUIDField()
    day = models.DateField()
    total = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "organisation", "day"], name="daily_total_once")]
        indexes = [models.Index(fields=["kind", "day", "organisation", "total"])]


class Watermark(models.Model):
    """Up to which event the daily totals are complete: all recorded up to `recorded_at`. One row."""

    recorded_at = models.DateTimeField()


class PublishedFigure(models.Model):
    """A figure as it was given out: frozen with both dates, and what the ledger said then."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    indicator = models.CharField(_("指标"), max_length=60)
    organisation = models.UUIDField(_("组织"))
    occurred_from = models.DateField(_("起"), null=True)
    occurred_until = models.DateField(_("止"))
    recorded_until = models.DateTimeField(_("记录截至"))
    value = models.CharField(_("数值"), max_length=40)
    # 约, 余, 近, 超: kept with the figure (domain.md §0).
    qualifier = models.CharField(_("修饰"), max_length=10, blank=True)
    link = models.CharField(max_length=64)
    published_at = models.DateTimeField(_("发布时间"))
    published_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("已发布数字")
        verbose_name_plural = _("已发布数字")
        indexes = [models.Index(fields=["indicator", "-published_at"])]
