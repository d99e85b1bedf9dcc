from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from xiangsui.foundation.kit import clock, numbering
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Occasion, Organisation
from xiangsui.foundation.people.models import Person
from xiangsui.foundation.workflow.table import Stateful

from .codes import Abo, Axis, Consent, Removal, Rhesus, Sex, Status


class Donor(Stateful):
    """A registered volunteer donor. Who it is lies sealed with `person`; here stands what the register counts."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    grid = models.CharField("GRID", max_length=19, unique=True)
    # What the national register knows the donor by, and since when it does (domain.md §0, beside the national system).
    cmdp_number = models.CharField(_("中华骨髓库编号"), max_length=12, unique=True, null=True, blank=True)
    national_on = models.DateField(_("录入国家系统日期"), null=True, blank=True)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, related_name="+")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("所属组织")
    )
    sex = models.CharField(_("性别"), max_length=1, choices=Sex.choices)
    birth_year = models.PositiveSmallIntegerField(_("出生年"), db_index=True)
    abo = models.CharField(_("ABO血型"), max_length=2, choices=Abo.choices, blank=True)
    rhesus = models.CharField(_("Rh血型"), max_length=1, choices=Rhesus.choices, blank=True)
    status = models.CharField(_("状态"), max_length=12, choices=Status.choices)
    registered_on = models.DateField(_("登记日期"), db_index=True)
    # Whoever recruits is responsible (谁招募谁负责): the donors' room owns it, whatever the occasion was.
    recruiter = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    recruited_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="+")
    occasion = models.ForeignKey(Occasion, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ScopedManager(tree="organisation__path__startswith")

    class Meta:
        verbose_name = _("志愿捐献者")
        verbose_name_plural = _("志愿捐献者")
        indexes = [
            models.Index(fields=["organisation", "status"]),
            models.Index(fields=["organisation", "-registered_on"]),
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


class ConsentVersion(models.Model):
    """One consent as it was given: to which text, when; withdrawing closes it, giving again opens another."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    donor = models.ForeignKey(Donor, on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(_("同意事项"), max_length=20, choices=Consent.choices)
    text_version = models.CharField(_("文本版本"), max_length=20)
    given_at = models.DateTimeField(_("同意时间"))
    withdrawn_at = models.DateTimeField(_("撤回时间"), null=True)

    objects = ScopedManager(tree="donor__organisation__path__startswith")

    class Meta:
        verbose_name = _("知情同意")
        verbose_name_plural = _("知情同意")
        constraints = [
            models.UniqueConstraint(
                fields=["donor", "kind"], condition=Q(withdrawn_at=None), name="consent_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | Q(withdrawn_at__gte=F("given_at")),
                name="consent_withdrawn_after_given",
            ),
        ]


class Deferral(models.Model):
    """Why a donor is not available for a time; it ends on its day by itself, or with an earlier decision."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    donor = models.ForeignKey(Donor, on_delete=models.PROTECT, related_name="deferrals")
    reason = models.CharField(_("原因"), max_length=2, choices=Removal.choices)
    axis = models.CharField(_("保护对象"), max_length=10, choices=Axis.choices)
    # The first day on which the donor is available again.
    until = models.DateField(_("至"))
    recorded_at = models.DateTimeField(_("记录时间"))
    ended_at = models.DateTimeField(_("结束时间"), null=True)

    objects = ScopedManager(tree="donor__organisation__path__startswith")

    class Meta:
        verbose_name = _("暂缓")
        verbose_name_plural = _("暂缓")
        indexes = [models.Index(fields=["ended_at", "until"])]
        constraints = [models.UniqueConstraint(fields=["donor"], condition=Q(ended_at=None), name="deferral_one_open")]


class Transfer(models.Model):
    """A donor handed from one organisation to another: asked for, then received or refused."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    donor = models.ForeignKey(Donor, on_delete=models.PROTECT, related_name="transfers")
    source = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("转出"))
    target = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("转入"))
    asked_at = models.DateTimeField(_("申请时间"))
    asked_by = models.UUIDField()
    decided_at = models.DateTimeField(_("办结时间"), null=True)
    decided_by = models.UUIDField(null=True)
    received = models.BooleanField(_("已接收"), null=True)

    # Both sides see it: scoped by its selectors, and like every scoped model never queried outside of one.
    objects = ScopedManager(tree="source__path__startswith")

    class Meta:
        verbose_name = _("档案转移")
        verbose_name_plural = _("档案转移")
        indexes = [models.Index(fields=["target", "decided_at"])]
        constraints = [
            models.UniqueConstraint(fields=["donor"], condition=Q(decided_at=None), name="transfer_one_open"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="transfer_goes_elsewhere"),
        ]
