"""Writing the tree."""

from __future__ import annotations

from django.db import transaction

from .models import Organisation


@transaction.atomic
def organisation_open(
    *, code: str, name: str, kind: str, parent: Organisation | None = None, division_code: str = ""
) -> Organisation:
    """Open an organisation below `parent`, or return the one that already bears `code`."""
    existing = Organisation.objects.filter(code=code).first()
    if existing is not None:
        return existing
    fields = {"code": code, "name": name, "kind": kind, "division_code": division_code}
    if parent is None:
        return Organisation.add_root(**fields)
    # treebeard counts children on the instance it is given: an old copy would hand out a taken path.
    return Organisation.objects.get(pk=parent.pk).add_child(**fields)
