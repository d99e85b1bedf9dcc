from __future__ import annotations

from django.db import models


class DataKey(models.Model):
    """The key of one person's data, wrapped by a key of the site. Destroying the row erases the person."""

    subject = models.UUIDField(primary_key=True)
    family = models.CharField(max_length=10)
    key_id = models.CharField(max_length=10, db_index=True)
    wrapped = models.BinaryField()


class LookupToken(models.Model):
    """One thing a person can be found by, as a keyed digest: no prefix, no order, no way back."""

    subject = models.UUIDField(db_index=True)
    family = models.CharField(max_length=10)
    kind = models.CharField(max_length=10)
    digest = models.CharField(max_length=32)

    class Meta:
        indexes = [models.Index(fields=["family", "kind", "digest", "subject"])]
        constraints = [
            models.UniqueConstraint(fields=["subject", "family", "kind", "digest"], name="token_once_a_person")
        ]


class KeyCheck(models.Model):
    """Which keys this database was sealed with; one row, written when the first keys were made."""

    fingerprint = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
