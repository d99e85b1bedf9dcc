from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict

from django.db.models import Q, QuerySet

from xiangsui.foundation.kit import clock

from .models import Organisation, OrganisationPeriod


def organisations_below(*, tree: str) -> QuerySet[Organisation]:
    """The organisation of that path and all below it today, in the order of the tree."""
    return Organisation.objects.filter(path__startswith=tree).order_by("path")


def periods_on(date: dt.date) -> QuerySet[OrganisationPeriod]:
    """The period of every organisation that had opened by `date`."""
    return OrganisationPeriod.objects.filter(Q(valid_until=None) | Q(valid_until__gt=date), valid_from__lte=date)


def subtree_on(*, organisation: Organisation, date: dt.date) -> list[uuid.UUID]:
    """The organisations that stood at or below `organisation` on `date`: what a figure of that day counts.

    Merged organisations stand below their successor from the day of the merger, so their past counts there.
    """
    children: dict[int | None, list[tuple[int, uuid.UUID]]] = defaultdict(list)
    rows = periods_on(date).values_list("parent_id", "organisation_id", "organisation__uuid")
    for parent, child, identifier in rows:
        children[parent].append((child, identifier))
    found, waiting = [organisation.uuid], [organisation.pk]
    while waiting:
        for child, identifier in children.get(waiting.pop(), ()):
            found.append(identifier)
            waiting.append(child)
    return found


def name_on(*, organisation: Organisation, date: dt.date | None = None) -> str:
    """The name an organisation bore on a day."""
    period = periods_on(date or clock.today()).filter(organisation=organisation).first()
    return period.name if period else organisation.name
