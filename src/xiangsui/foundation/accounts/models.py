from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation

from .roles import Role

if TYPE_CHECKING:
    from django.db.models import QuerySet


class UserManager(BaseUserManager["User"]):
    def create_user(self, username: str, password: str | None = None, **fields: object) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in. Django's own permissions are not used: roles, organisations and rooms decide."""

    uuid = models.UUIDField(unique=True, default=uuid7, editable=False)
    username = models.CharField(_("账号"), max_length=60, unique=True)
    name = models.CharField(_("姓名"), max_length=60)
    email = models.EmailField(_("邮箱"), blank=True)
    is_active = models.BooleanField(_("可登录"), default=True)
    is_demo = models.BooleanField(_("演示账号"), default=False)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    objects = UserManager()

    class Meta:
        verbose_name = _("账号")
        verbose_name_plural = _("账号")

    def __str__(self) -> str:
        return self.name or self.username


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def on(self, date: dt.date | None = None) -> QuerySet[Assignment]:
        """Assignments in force on `date` (today by default); both ends belong to the term."""
        date = date or clock.today()
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=date), valid_from__lte=date)


class Assignment(models.Model):
    """A role held at an organisation for a time. A person works under exactly one at any moment."""

    uuid = models.UUIDField(unique=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(_("角色"), max_length=30, choices=Role.choices)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField(_("自"))
    valid_until = models.DateField(_("至"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("任职")
        verbose_name_plural = _("任职")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=models.F("valid_from")),
                name="assignment_ends_after_it_begins",
            ),
            models.UniqueConstraint(fields=["user", "role", "organisation", "valid_from"], name="assignment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.get_role_display()}"

    @property
    def tree(self) -> str:
        """The path prefix of everything this assignment may see."""
        return self.organisation.path

    def covers(self, organisation: Organisation) -> bool:
        """Whether `organisation` lies within this assignment's scope."""
        return self.organisation.contains(organisation)
