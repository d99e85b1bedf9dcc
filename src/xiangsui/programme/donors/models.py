from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_scopes import ScopedManager

from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation


class Sex(models.TextChoices):
    MALE = "M", pgettext_lazy("sex", "男")
    FEMALE = "F", pgettext_lazy("sex", "女")


class Abo(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    AB = "AB", "AB"
    O = "O", "O"  # noqa: E741  the blood group's name


class Rhesus(models.TextChoices):
    POSITIVE = "+", _("阳性")
    NEGATIVE = "-", _("阴性")


class Status(models.TextChoices):
    """The register status of domain.md §2.4 A."""

    LEAD = "lead", _("意向")
    ENROLLED = "enrolled", _("已登记")
    SAMPLED = "sampled", _("已采样")
    REFLECTING = "reflecting", _("静思期")
    IN_LAB = "in_lab", _("检测中")
    LISTED = "listed", _("在库可用")
    DEFERRED = "deferred", _("暂缓")
    RESERVED = "reserved", _("预留")
    DONATED = "donated", _("已捐献")
    RETIRED = "retired", _("退库")


class Donor(models.Model):
    """A registered volunteer donor. No identity is held here."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    grid = models.CharField("GRID", max_length=19, unique=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("所属组织")
    )
    sex = models.CharField(_("性别"), max_length=1, choices=Sex.choices)
    birth_year = models.PositiveSmallIntegerField(_("出生年"), db_index=True)
    abo = models.CharField(_("ABO血型"), max_length=2, choices=Abo.choices, blank=True)
    rhesus = models.CharField(_("Rh血型"), max_length=1, choices=Rhesus.choices, blank=True)
    status = models.CharField(_("状态"), max_length=12, choices=Status.choices)
    registered_on = models.DateField(_("登记日期"), db_index=True)

    objects = ScopedManager(tree="organisation__path__startswith")

    class Meta:
        verbose_name = _("志愿捐献者")
        verbose_name_plural = _("志愿捐献者")
        indexes = [
            models.Index(fields=["organisation", "status"]),
            models.Index(fields=["status", "-registered_on"]),
        ]

    def __str__(self) -> str:
        return self.grid

    @property
    def grid_print(self) -> str:
        """The GRID in printed groups."""
        return numbering.grid_print(self.grid)

    @property
    def age(self) -> int:
        """Years reached this calendar year: only the year of birth is known here."""
        return clock.today().year - self.birth_year


class Typing(models.Model):
    """An HLA typing of a donor. A new one supersedes the last; nothing is overwritten."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    donor = models.ForeignKey(Donor, on_delete=models.PROTECT, related_name="typings")
    number = models.PositiveSmallIntegerField(_("次序"))
    gl = models.TextField("GL String")
    recorded_at = models.DateTimeField(_("记录时间"))
    current = models.BooleanField(default=True)

    objects = ScopedManager(tree="donor__organisation__path__startswith")

    class Meta:
        verbose_name = _("HLA分型")
        verbose_name_plural = _("HLA分型")
        constraints = [
            models.UniqueConstraint(fields=["donor", "number"], name="typing_numbered_once"),
            models.UniqueConstraint(fields=["donor"], condition=Q(current=True), name="typing_one_current"),
        ]
