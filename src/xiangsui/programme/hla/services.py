"""Writing for the search index: what changed is noted with the change, folding it in is a job."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from hlaengine import errors, index, typings
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.programme_rules.selectors import rule

from . import sources, wording
from .engine import frequency_set, nomenclature
from .models import IndexBuild, PendingChange

logger = logging.getLogger("xiangsui.hla")


def typing_check(gl: str) -> typings.Typing:
    """Read a typing and follow every allele in the nomenclature in use.

    Raises:
        Refusal: it cannot be read, or names an allele the nomenclature does not know; with the place in the text.
    """
    try:
        typing = typings.parse(gl)
        nomenclature().check(typing)
    except errors.HlaError as error:
        raise wording.refusal(error, gl) from error
    return typing


def loci_typed(gl: str) -> list[str]:
    """The loci of a typing that was checked before."""
    return list(typings.parse(gl).loci)


def patient_typing_check(gl: str) -> typings.Typing:
    """As `typing_check`, for somebody who is searched for: with the loci that a search needs.

    Raises:
        Refusal: as `typing_check`; or a locus is missing that the rule `patient.search_loci` asks for.
    """
    typing = typing_check(gl)
    if missing := [locus for locus in rule("patient.search_loci").value if locus not in typing.loci]:
        raise Refusal(
            _("检索至少需要患者的%(needed)s位点，这份分型缺少%(missing)s。")
            % {"needed": "、".join(rule("patient.search_loci").value), "missing": "、".join(missing)},
            code="typing.loci_missing",
        )
    return typing


def changes_record(subjects: Sequence[uuid.UUID]) -> None:
    """Note, within the caller's transaction, that these donors' rows in the index are out of date."""
    now = clock.now()
    PendingChange.objects.bulk_create(
        [PendingChange(subject=subject, recorded_at=now) for subject in subjects], batch_size=1_000
    )


def index_compact(*, progress: Callable[[int, int | None], None] | None = None) -> IndexBuild | None:
    """Build a fresh index from the sources, publish it, and clear the changes it contains.

    The changes are listed before the rows are read, so each of them is in what was read; those that arrive
    meanwhile stay pending and are laid over by searches.

    Returns:
        The build; None where another one is under way, which will do.
    """
    seen = list(PendingChange.objects.order_by("pk").values_list("pk", flat=True))
    started = time.monotonic()
    rows = (index.DonorRow(str(row.subject), row.typing, frequency_set().name) for row in sources.everything())
    try:
        manifest = index.build(
            settings.HLA_INDEX_DIR,
            rows,
            frequency_sets=[frequency_set()],
            nomenclature=nomenclature(),
            progress=progress,
            # A typing the nomenclature no longer reads must not keep everybody else from being found.
            on_refused=lambda row, error: logger.warning("left out of the index: %s (%s)", row.donor, error.code),
        )
    except errors.HlaError as error:
        if error.code == "index.busy":
            return None
        raise
    for start in range(0, len(seen), 500):
        PendingChange.objects.filter(pk__in=seen[start : start + 500]).delete()
    return IndexBuild.objects.create(
        built_at=clock.now(),
        donors=manifest.donors,
        refused=manifest.refused,
        seconds=time.monotonic() - started,
        generation=f"{manifest.generation}:{manifest.checksum[:12]}",
        nomenclature=nomenclature().label,
        frequency_sets=frequency_set().name,
    )


def index_fault(*, thorough: bool = False) -> str:
    """What is wrong with the search index, as one sentence; empty where it can be used.

    Args:
        thorough: read every byte, not only sizes and footers.
    """
    try:
        if thorough:
            index.verify(settings.HLA_INDEX_DIR)
        else:
            index.Index.open(settings.HLA_INDEX_DIR)
    except errors.HlaError as error:
        return str(error)
    return ""
