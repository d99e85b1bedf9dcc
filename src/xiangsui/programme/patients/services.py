from __future__ import annotations

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit import clock
from xiangsui.programme.hla.services import patient_typing_check

from .models import SearchRequest


def request_submit(*, assignment: Assignment, reference: str, gl: str) -> SearchRequest:
    """Store a hospital's request.

    Raises:
        Refusal: the typing cannot be read.
    """
    patient_typing_check(gl)
    return SearchRequest.objects.create(
        organisation=assignment.organisation,
        reference=reference,
        gl=gl,
        requested_by=assignment.user,
        requested_at=clock.now(),
    )
