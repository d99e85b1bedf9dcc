"""Answers of the search: hits as plain rows, with what they ran on."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hlaengine import errors, index, typings
from hlaengine.typings import MATCH_LOCI
from xiangsui.foundation.kit.errors import Refusal

from . import sources, wording
from .engine import frequency_set, nomenclature, searching
from .models import IndexBuild, PendingChange

FREQUENCY_NOTICE = gettext_lazy("演示频率集：公开发表的单倍型加合成的其余部分，仅供演示，不能用于临床。")


@dataclass(frozen=True)
class Answer:
    """What a search found.

    Attributes:
        hits: the engine's hits, ranked; `donor` is the subject's UUID as text.
        patient_reason: why the patient's typing gives no probabilities; empty where it does.
        versions: engine, index, nomenclature and frequency set it ran with, each with its checksum.
    """

    hits: list[Any]
    patient_reason: str
    versions: dict[str, str]

    def version(self, what: str) -> str:
        """A version as a screen shows it: without its checksum."""
        return self.versions[what].rsplit(" ", 1)[0].split(":")[0]

    @property
    def nomenclature(self) -> str:
        return self.version("nomenclature")

    @property
    def frequency_set(self) -> str:
        return self.version("frequency_set")

    def count(self, category: str) -> int:
        """How many hits are `ten` (10 possible), `nine` (9 at the most) or `unexplained`."""
        return sum(1 for hit in self.hits if category_of(hit) == category)


def category_of(hit: Any) -> str:
    """`ten`: all ten may match; `nine`: nine at the most; `unexplained`: without probabilities; else `eight`."""
    if hit.p_10 is None:
        return "unexplained"
    return {10: "ten", 9: "nine"}.get(hit.count_max, "eight")


# Turning the pages of one answer does not search again. Read and written under the searcher's lock.
_cache: OrderedDict[tuple[Any, ...], Answer] = OrderedDict()
_CACHED = 16


def search_donors(*, gl: str, max_mismatches: int = 1) -> Answer:
    """Search the whole programme for donors who may match `gl` at 10, or at 10 − `max_mismatches`, alleles.

    Changes of the register are found at once: those not yet in the index are laid over it.

    Raises:
        Refusal: the typing cannot be read, no index was built yet, or the index is damaged.
    """
    _require_loci(gl)
    # Pending changes first, then the index: one folded in between is then seen twice, never missed.
    pending = list(PendingChange.objects.order_by("pk").values_list("pk", "subject"))
    try:
        with searching() as searcher:
            version = searcher.index.manifest.checksum
            key = (gl, max_mismatches, version, pending[-1][0] if pending else 0, len(pending))
            if key in _cache:
                _cache.move_to_end(key)
                return _cache[key]
            overlay = [_overlaid(row) for row in sources.some(list(dict.fromkeys(subject for _, subject in pending)))]
            result = searcher.search(
                gl, frequency_set=frequency_set().name, overlay=overlay, max_mismatches=max_mismatches
            )
            _cache[key] = answer = Answer(
                hits=list(result.hits),
                patient_reason=wording.reason(result.patient_reason) if result.patient_reason else "",
                versions=dict(result.versions),
            )
            while len(_cache) > _CACHED:
                _cache.popitem(last=False)
            return answer
    except errors.HlaError as error:
        raise wording.refusal(error, gl) from error


def _require_loci(gl: str) -> None:
    """Fewer than two typed loci allow nearly every donor, at the cost of every pair of haplotypes of the set."""
    try:
        typed = [locus for locus in MATCH_LOCI if locus in typings.parse(gl).loci]
    except errors.HlaError as error:
        raise wording.refusal(error, gl) from error
    if len(typed) < 2:
        raise Refusal(
            _("检索至少需要%(loci)s中的两个位点。") % {"loci": "、".join(MATCH_LOCI)}, code="typing.loci_missing"
        )


def _overlaid(row: sources.SearchRow) -> index.DonorRow:
    """A changed donor as the search takes him; one whose typing cannot be read is left out, as in a build."""
    text = row.typing
    try:
        nomenclature().check(typings.parse(text or ""))
    except errors.HlaError:
        text = None
    return index.DonorRow(str(row.subject), text, frequency_set().name)


def index_state() -> dict[str, Any]:
    """The last build and how many changes wait, for the page of the index."""
    return {
        "build": IndexBuild.objects.first(),
        "pending": PendingChange.objects.count(),
        "newest": PendingChange.objects.aggregate(at=Max("recorded_at"))["at"],
    }


def sample_genotypes(*, count: int, seed: int) -> list[dict[str, tuple[str, str]]]:
    """`count` genotypes drawn from the shipped set, each locus → its two alleles; for the demonstration only."""
    import numpy as np

    drawn_from = frequency_set()
    weights = np.asarray(drawn_from.frequencies, dtype=float)
    rng = np.random.default_rng(seed)
    pairs = rng.choice(len(weights), size=(count, 2), p=weights / weights.sum())
    names = [haplotype.split("~") for haplotype in drawn_from.haplotypes]
    return [
        {locus: (names[first][place], names[second][place]) for place, locus in enumerate(drawn_from.loci)}
        for first, second in pairs.tolist()
    ]


def subject_of(hit: Any) -> uuid.UUID:
    """The donor's identifier of a hit."""
    return uuid.UUID(hit.donor)
