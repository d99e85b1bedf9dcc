from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import Http404

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit.pagination import COUNT_LIMIT

from .models import SearchRequest


def requests_visible(*, assignment: Assignment) -> QuerySet[SearchRequest]:
    """The requests below the assignment's organisation."""
    return SearchRequest.objects.filter(organisation__path__startswith=assignment.tree).select_related(
        "organisation", "requested_by"
    )


def requests_count(*, assignment: Assignment) -> int:
    """How many, counted to 10,001 at the most."""
    return requests_visible(assignment=assignment)[: COUNT_LIMIT + 1].count()


def request_get(*, assignment: Assignment, request_id: uuid.UUID) -> SearchRequest:
    """One visible request.

    Raises:
        Http404: there is none, or it belongs elsewhere: the two answer alike.
    """
    found = requests_visible(assignment=assignment).filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found
