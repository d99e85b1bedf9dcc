from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation


class Needs(models.TextChoices):
    """Who must confirm a rule before it may be relied on in production (domain.md §0)."""

    NOBODY = "nobody", _("无需确认")
    PHYSICIAN = "physician", _("医师确认")
    LAWYER = "lawyer", _("法律确认")


class RuleVersion(models.Model):
    """One version of a rule. Versions are added, never changed; only the confirmation is filled in later."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("规则"), max_length=60)
    title = models.CharField(_("名称"), max_length=120)
    title_en = models.CharField(max_length=120)
    # None: the whole programme. Otherwise this organisation and all below it.
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("适用范围")
    )
    kind = models.CharField(max_length=10)
    text = models.CharField(_("值"), max_length=500)
    unit = models.CharField(_("单位"), max_length=20, blank=True)
    valid_from = models.DateField(_("生效日期"))
    source = models.CharField(_("来源"), max_length=300, blank=True)
    needs = models.CharField(_("需要确认"), max_length=10, choices=Needs.choices)
    confirmed_by = models.UUIDField(null=True)
    confirmed_at = models.DateTimeField(_("确认时间"), null=True)
    recorded_at = models.DateTimeField(_("登记时间"))
    recorded_by = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("规则版本")
        verbose_name_plural = _("规则版本")
        constraints = [
            models.UniqueConstraint(
                fields=["name", "organisation", "valid_from"],
                condition=Q(organisation__isnull=False),
                name="rule_once_a_day_there",
            ),
            models.UniqueConstraint(
                fields=["name", "valid_from"], condition=Q(organisation=None), name="rule_once_a_day_everywhere"
            ),
        ]
        indexes = [models.Index(fields=["name", "-valid_from"])]

    def __str__(self) -> str:
        return f"{self.name} {self.valid_from}"

    @property
    def value(self) -> Any:
        """The value in its own type: int, Decimal, bool or list."""
        value = json.loads(self.text)
        return Decimal(value) if self.kind == "decimal" else value

    @property
    def label(self) -> str:
        """The rule's name in the reader's language."""
        return self.title_en if (get_language() or "").startswith("en") else self.title

    @property
    def is_sourced(self) -> bool:
        """Whether a source is known; without one the value is a default, and screens say so."""
        return bool(self.source)

    @property
    def is_confirmed(self) -> bool:
        """Whether nobody needs to confirm it, or somebody did."""
        return self.needs == Needs.NOBODY or self.confirmed_at is not None
