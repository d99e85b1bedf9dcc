from django.db import models
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit.ids import uuid7


class PendingChange(models.Model):
    """A donor whose row in the search index is out of date. Written in the transaction that changed the donor.

    It holds no typing: a search asks the source for the present one, so that no order of changes can be got wrong.
    """

    subject = models.UUIDField()
    recorded_at = models.DateTimeField()


class IndexBuild(models.Model):
    """A published search index: what it was built from, for the page of the index and for reproducing a search."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    built_at = models.DateTimeField(_("建成时间"))
    donors = models.PositiveBigIntegerField(_("供者数"))
    refused = models.PositiveBigIntegerField(_("未能收录"), default=0)
    seconds = models.FloatField(_("用时（秒）"))
    generation = models.CharField(_("版本"), max_length=64)
    nomenclature = models.CharField(_("命名版本"), max_length=64)
    frequency_sets = models.CharField(_("频率集"), max_length=300)

    class Meta:
        ordering = ["-built_at"]
        indexes = [models.Index(fields=["-built_at"])]
