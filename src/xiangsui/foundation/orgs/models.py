from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

from xiangsui.foundation.kit.ids import uuid7


class Kind(models.TextChoices):
    """What an organisation is. Kinds decide what may be done there, not where it stands in the tree."""

    NATION = "nation", _("国家管理中心")
    PROVINCE = "province", _("省级分库")
    CITY = "city", _("市级工作站")
    COUNTY = "county", _("县级红十字会")
    TOWNSHIP = "township", _("镇（街道）")
    VILLAGE = "village", _("村（社区）")
    BLOOD_STATION = "blood_station", _("血站")
    DONATION_HOUSE = "donation_house", _("爱心献血屋")
    VEHICLE = "vehicle", _("献血车")
    CREW = "crew", _("采血车组")
    LABORATORY = "laboratory", _("HLA组织配型实验室")
    HOSPITAL = "hospital", _("移植/采集医院")
    UNIVERSITY = "university", _("高校")
    DEPARTMENT = "department", _("部门")
    COMMITTEE = "committee", _("委员会")
    TEAM = "team", _("志愿服务队")
    PARTNER = "partner", _("合作单位")


class Organisation(MP_Node):
    """One node of today's tree. Its `path` is the scope of everything below it (architecture, mechanism 3).

    How things stood on another day is told by `OrganisationPeriod`.
    """

    uuid = models.UUIDField(unique=True, default=uuid7, editable=False)
    code = models.CharField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=120)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices, db_index=True)
    division_code = models.CharField(_("行政区划代码"), max_length=12, blank=True)
    opened_on = models.DateField(_("设立日期"))
    closed_on = models.DateField(_("撤销日期"), null=True, blank=True)

    # Siblings stay in the order they were made; names sort differently in every language.
    node_order_by: list[str] = []

    class Meta:
        verbose_name = _("组织")
        verbose_name_plural = _("组织")
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_on=None) | Q(closed_on__gte=F("opened_on")), name="organisation_closed_after_opened"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def contains(self, other: Organisation) -> bool:
        """Whether `other` is this organisation or stands below it today."""
        return other.path.startswith(self.path)


class OrganisationPeriod(models.Model):
    """Where an organisation stood, and under what name, between two days (the first included, the last not).

    The periods of an organisation follow each other without a gap from the day it opened. Closing does not end
    them: a merged organisation goes on below its successor, so that its past is counted there.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="periods")
    parent = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.CharField(_("名称"), max_length=120)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices)
    is_open = models.BooleanField(default=True)
    valid_from = models.DateField(_("自"))
    valid_until = models.DateField(_("至"), null=True)

    class Meta:
        verbose_name = _("组织沿革")
        verbose_name_plural = _("组织沿革")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "valid_from"], name="period_begins_once"),
            models.UniqueConstraint(
                fields=["organisation"], condition=Q(valid_until=None), name="period_one_is_the_last"
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")), name="period_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["valid_from", "valid_until"])]


class Occasion(models.Model):
    """Something that takes place: organisation, place, time. Outreach events build on it; donors are attributed to it."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("编号"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("组织"))
    place = models.CharField(_("地点"), max_length=200, blank=True)
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"), null=True, blank=True)

    class Meta:
        verbose_name = _("活动场次")
        verbose_name_plural = _("活动场次")
        indexes = [models.Index(fields=["organisation", "-starts_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")), name="occasion_ends_after_it_starts"
            )
        ]

    def __str__(self) -> str:
        return self.name
