from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation


class Person(models.Model):
    """A person on the donors' side; never a patient. Everything that identifies is in `sealed`."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    recorded_at = models.DateTimeField()
    # Merging rewrites nothing: rows of the merged person stay his and are read through this.
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged")
    erased_at = models.DateTimeField(null=True)

    objects = ScopedManager(tree="organisation__path__startswith")

    class Meta:
        verbose_name = _("人员")
        verbose_name_plural = _("人员")
        indexes = [models.Index(fields=["organisation", "-uuid"])]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("uuid")), name="person_not_merged_into_itself")
        ]


class PersonTie(models.Model):
    """Another organisation that may see a person, in a role and for a time."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ties")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=30)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)

    objects = ScopedManager(tree="organisation__path__startswith")

    class Meta:
        indexes = [models.Index(fields=["organisation", "valid_until"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="tie_ends_after_it_begins"
            )
        ]


class SecondContact(models.Model):
    """Somebody who may be asked to have the person call back, and is told nothing else (domain.md §0)."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="second_contacts")
    # Name, telephone and relation, sealed under the person's key: erasing him erases them too.
    sealed = models.BinaryField()

    objects = ScopedManager(tree="person__organisation__path__startswith")
