from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.jobs.registry import Run, job
from xiangsui.programme.donors.selectors import donors_by_uuid
from xiangsui.programme.donors.services import donors_register
from xiangsui.programme.hla.services import index_compact

from .people import donor_uuid, drafts
from .world import examples_open, world_open

_CHUNK = 250


@job(title=_("建立演示数据"), retries=5)
def build(run: Run, *, donors: int) -> None:
    """Register the demonstration's donors chunk by chunk, then build the index; a second run adds what is missing."""
    organisations = world_open()
    total = donors + 1  # the index is the last step
    for start in range(0, donors, _CHUNK):
        count = min(_CHUNK, donors - start)
        known = donors_by_uuid([donor_uuid(number) for number in range(start, start + count)])
        if len(known) < count:
            made = drafts(start=start, count=count, organisations=organisations)
            donors_register(drafts=[draft for draft in made if draft.uuid not in known])
        run.progress(start + count, total)
    index_compact()
    examples_open()
    run.progress(total, total)
