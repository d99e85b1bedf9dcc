"""Donor search: possible counts for every donor, exact probabilities for those that can match.

P groups are compared. A null allele is not expressed (policy ``expressed``): a genotype (E, null) counts as
(E, E) and (null, null) matches only itself, substituted per genotype.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import __version__, segment
from .batch import BatchImputer
from .counting import Alternative, LocusTable, alternatives
from .errors import SearchError
from .imputation import Genotypes, Imputer, Pairs, Unexplained, genotype_codes, genotypes_of, stack
from .index import Index
from .matching import Columns, Comparison
from .nomenclature import NULL
from .segment import COLUMNS, DonorRow, Segment
from .typings import MATCH_LOCI, LocusTyping, Typing, parse

#: Why a hit has no numbers although the donor is explained.
PATIENT_UNEXPLAINED = "patient_unexplained"
#: Donors with fewer typed loci take no part.
LEAST_TYPED_LOCI = 1

_CACHED_TYPINGS = 50_000
_Imputed = tuple[tuple[NDArray[np.int64], NDArray[np.float64]], Pairs]


@dataclass(frozen=True)
class LocusMatch:
    """One locus of a hit.

    `both`, `one`: P(2) and P(1), None when unexplained; `possible_min`, `possible_max`: count by alleles
    alone; `patient`, `donor`: the typings as text, empty where untyped; `presumed_homozygous`: the donor's
    blank side was read as the other.
    """

    both: float | None
    one: float | None
    possible_min: int
    possible_max: int
    patient: str
    donor: str
    presumed_homozygous: bool


@dataclass(frozen=True)
class Hit:
    """A donor who can match; counts are of 2 × loci, probabilities fractions of 1 (None when unexplained)."""

    donor: str
    frequency_set: str
    count_min: int
    count_max: int
    typed_loci: int
    p_10: float | None
    p_9: float | None
    p_8: float | None
    reason: str | None
    loci: dict[str, LocusMatch]


@dataclass(frozen=True)
class SearchResult:
    """The answer to one search.

    Attributes:
        hits: ranked: p_10, p_9, p_8 descending, donor; the unexplained last, by count_max descending, donor.
        found: how many donors can match; more than the hits where a limit was given.
        donors: how many donors were searched.
        loci: the loci compared.
        patient_reason: None, or why the patient has no probability; `patient_unexplained` holds the details.
        dropped: alleles of the patient's typing that the frequency set does not hold.
        versions: ``engine``, ``index``, ``nomenclature``, ``frequency_set``: what served the search.
    """

    hits: tuple[Hit, ...]
    found: int
    donors: int
    loci: tuple[str, ...]
    patient_reason: str | None
    patient_unexplained: tuple[Unexplained, ...]
    dropped: tuple[str, ...]
    versions: dict[str, str]


class Searcher:
    """Searches one open index; keep it, for it remembers what it imputed. Not for several threads at once."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._nomenclature = index.nomenclature
        self._sets = {s.name: i for i, s in enumerate(index.frequency_sets)}
        self._imputers = [Imputer(s, self._nomenclature) for s in index.frequency_sets]
        # P code of each haplotype's alleles, so that sets of any level are compared alike.
        self._p_codes = [self._p_coding(i) for i in range(len(self._imputers))]
        self._imputed: OrderedDict[tuple[object, ...], _Imputed] = OrderedDict()
        self._base = _Part(index.segment, self, index.tables)

    def search(
        self,
        typing: Typing | str,
        *,
        frequency_set: str | None = None,
        overlay: Iterable[DonorRow] = (),
        max_mismatches: int = 1,
        limit: int | None = None,
    ) -> SearchResult:
        """Ranked donors for a patient.

        Args:
            typing: the patient's, as text or parsed.
            frequency_set: the patient's set, by name; None where the index has only one.
            overlay: rows that stand over the index; a typing of None takes the donor away; the last row of a
                donor counts.
            max_mismatches: 0, 1 or 2: list donors whose greatest possible count is at least 10 minus this.
            limit: the most hits to describe, or None for all.

        Raises:
            HlaError: the typing cannot be read or holds an allele the nomenclature lacks; an unknown set; an
                overlay row that cannot be used.
        """
        patient = parse(typing) if isinstance(typing, str) else typing
        self._nomenclature.check(patient, MATCH_LOCI)
        chosen = self._set_of(frequency_set)
        own, pairs = self._impute(chosen, patient)
        last = {row.donor: row for row in overlay}
        over = segment.from_rows(
            last.values(),
            set_names=list(self._sets),
            nomenclature=self._nomenclature,
            blank=self.index.manifest.blank,
        )
        parts = [(self._base, self._hidden(last)), (_Part(over, self), np.zeros(0, np.intp))]
        query = {
            locus: alternatives(patient.loci[locus], self._nomenclature.p_codes, NULL)
            for locus in MATCH_LOCI
            if locus in patient.loci
        }
        candidates = [c for part, hidden in parts for c in part.candidates(query, hidden, max_mismatches)]
        hits = _Ranking(self, patient, own, pairs, candidates).hits(limit)
        served = self.index.frequency_sets[chosen]
        manifest = self.index.manifest
        return SearchResult(
            hits,
            len(candidates),
            sum(len(part.segment.donors) - len(hidden) for part, hidden in parts),
            MATCH_LOCI,
            pairs.unexplained[0].reason if pairs.unexplained else None,
            pairs.unexplained,
            pairs.dropped,
            {
                "engine": __version__,
                "index": f"{manifest.generation}:{manifest.checksum}",
                "nomenclature": f"{self._nomenclature.label} {manifest.nomenclature['checksum']}",
                "frequency_set": f"{served.name} {served.checksum}",
            },
        )

    def _set_of(self, name: str | None) -> int:
        if name is None and len(self._sets) == 1:
            return 0
        if name not in self._sets:
            raise SearchError(
                "search.unknown_set",
                f"Say which frequency set serves the patient: {', '.join(self._sets)}.",
                frequency_set=name,
            )
        return self._sets[name]

    def _p_coding(self, which: int) -> NDArray[np.int64]:
        chosen = self._imputers[which].set
        columns = []
        for i, names in enumerate(chosen.alleles):
            p_codes = np.array([self._nomenclature.p_code(self._nomenclature.expand(n)[0]) for n in names])
            columns.append(p_codes[chosen.codes[:, i]])
        return np.array(columns, dtype=np.int64).T

    def _hidden(self, overlay: dict[str, DonorRow]) -> NDArray[np.intp]:
        rows = (self.index.segment.find(donor) for donor in overlay)
        return np.array(sorted(r for r in rows if r is not None), dtype=np.intp)

    def _impute(self, which: int, typing: Typing) -> _Imputed:
        key = (which, typing.phased, *(typing.loci[locus] for locus in MATCH_LOCI if locus in typing.loci))
        known = self._imputed.get(key)
        if known is None:
            pairs = self._imputers[which].impute(typing)
            known = (genotypes_of(pairs, self._p_codes[which], null=NULL), pairs)
            self._imputed[key] = known
            if len(self._imputed) > _CACHED_TYPINGS:
                self._imputed.popitem(last=False)
        return known


@dataclass(frozen=True)
class _Candidate:
    """A donor who can match by alleles alone: its codes by `segment.COLUMNS`, and
    counts per locus, least and greatest."""

    part: _Part
    row: int
    codes: tuple[int, ...]
    least: tuple[int, ...]
    most: tuple[int, ...]


class _Part:
    """A segment with the element tables of its distinct typings."""

    def __init__(self, donors: Segment, searcher: Searcher, tables: dict[str, LocusTable] | None = None) -> None:
        self.segment = donors
        self.searcher = searcher
        self._batches: dict[int, BatchImputer] = {}
        self._tables = tables or donors.tables(searcher.index.nomenclature)

    def candidates(
        self, query: dict[str, list[Alternative]], hidden: NDArray[np.intp], max_mismatches: int
    ) -> Iterator[_Candidate]:
        donors = len(self.segment.donors)
        most = np.zeros(donors, np.uint8)
        typed = np.zeros(donors, np.uint8)
        tables = {}
        for locus in MATCH_LOCI:
            codes = self.segment.codes[locus]
            tables[locus] = self._tables[locus].possible(query.get(locus))
            most += tables[locus][1][codes]
            typed += codes != 0
        fits = (most >= 2 * len(MATCH_LOCI) - max_mismatches) & (typed >= LEAST_TYPED_LOCI)
        fits[hidden] = False
        rows = np.flatnonzero(fits)
        owned = zip(*(self.segment.codes[column][rows].tolist() for column in COLUMNS), strict=True)
        least_most = [
            np.array([tables[locus][which][self.segment.codes[locus][rows]] for locus in MATCH_LOCI]).T.tolist()
            for which in (0, 1)
        ]
        for row, own, low, high in zip(rows.tolist(), owned, *least_most, strict=True):
            yield _Candidate(self, row, own, tuple(low), tuple(high))

    def batch(self, which: int) -> BatchImputer:
        """Imputes rows of this part's codes against a frequency set."""
        if which not in self._batches:
            self._batches[which] = BatchImputer(self.searcher._imputers[which], self._typing)
        return self._batches[which]

    def _typing(self, column: int, code: int) -> LocusTyping:
        typing = self.segment.locus(MATCH_LOCI[column], code)
        assert typing is not None  # code 0, untyped, is not asked for
        return typing


class _Ranking:
    """Numbers for the candidates, computed once per distinct donor typing, and the ranked hits."""

    def __init__(
        self,
        searcher: Searcher,
        patient: Typing,
        own: tuple[NDArray[np.int64], NDArray[np.float64]],
        pairs: Pairs,
        candidates: list[_Candidate],
    ) -> None:
        self.searcher, self.patient, self.candidates = searcher, patient, candidates
        self.patient_explained = not pairs.unexplained
        slots: dict[tuple[int, int, tuple[int, ...]], int] = {}
        self.slot = [
            slots.setdefault((id(c.part), int(c.part.segment.sets[c.row]), c.codes), len(slots)) for c in candidates
        ]
        first = dict(zip(reversed(self.slot), reversed(candidates), strict=True))
        self.distinct = [first[slot] for slot in range(len(slots))]
        self.columns: Columns | None = None
        self._place: dict[int, int] = {}
        self._unexplained: dict[int, str] = {}
        if self.patient_explained and self.distinct:
            theirs, z = self._genotypes()
            explained = np.flatnonzero(z > 0)
            self._place = {slot: i for i, slot in enumerate(explained.tolist())}
            if len(explained):
                self.columns = Comparison(stack([own], len(MATCH_LOCI)), theirs).columns(0, explained)

    def _genotypes(self) -> tuple[Genotypes, NDArray[np.float64]]:
        """Genotypes of the distinct typings, and the sum of weights of each: 0 where it is unexplained."""
        count = len(self.distinct)
        owners, codes, weights = [np.zeros(0, np.intp)], [np.zeros((0, len(MATCH_LOCI)), np.int64)], [np.zeros(0)]
        together: dict[tuple[int, int], list[int]] = {}
        alone: list[int] = []
        for slot, candidate in enumerate(self.distinct):
            # Phase spans loci: such donors are imputed one by one.
            group = (id(candidate.part), int(candidate.part.segment.sets[candidate.row]))
            (alone if candidate.codes[-1] else together.setdefault(group, [])).append(slot)
        for (_, which), slots in together.items():
            part = self.distinct[slots[0]].part
            rows = np.array([self.distinct[slot].codes[:-1] for slot in slots], dtype=np.int64)
            batch = part.batch(which)
            able = batch.able(rows)
            mine = np.array(slots, dtype=np.intp)
            alone += mine[~able].tolist()
            for found in batch.entries(rows[able]):
                owners.append(mine[able][found.owner])
                codes.append(genotype_codes(found.first, found.second, self.searcher._p_codes[which], NULL))
                weights.append(found.weight)
        for slot in alone:
            coded, probability = self._alone(slot)[0]
            owners.append(np.full(len(coded), slot, np.intp))
            codes.append(coded)
            weights.append(probability)
        owner, weight = np.concatenate(owners), np.concatenate(weights)
        z = np.bincount(owner, weights=weight, minlength=count).astype(np.float64)
        order = np.argsort(owner, kind="stable")
        owner = owner[order]
        return Genotypes(owner, np.concatenate(codes)[order], weight[order] / z[owner], count), z

    def _alone(self, slot: int) -> _Imputed:
        candidate = self.distinct[slot]
        donors = candidate.part.segment
        return self.searcher._impute(int(donors.sets[candidate.row]), donors.typing(candidate.row))

    def _reason(self, slot: int) -> str:
        if slot not in self._unexplained:
            self._unexplained[slot] = self._alone(slot)[1].unexplained[0].reason
        return self._unexplained[slot]

    def hits(self, limit: int | None) -> tuple[Hit, ...]:
        def rank(i: int) -> tuple[bool, float, float, float, int, str]:
            candidate = self.candidates[i]
            donor = candidate.part.segment.donors[candidate.row]
            place = self._place.get(self.slot[i])
            if self.columns is None or place is None:
                return (True, 0.0, 0.0, 0.0, -sum(candidate.most), donor)
            ten, nine, eight = (-float(x) for x in self.columns.exactly[place, :-4:-1])
            return (False, ten, nine, eight, 0, donor)

        ordered = sorted(range(len(self.candidates)), key=rank)
        return tuple(self._hit(i) for i in ordered[:limit])

    def _hit(self, i: int) -> Hit:
        candidate = self.candidates[i]
        donors, row = candidate.part.segment, candidate.row
        place = self._place.get(self.slot[i])
        p_10 = p_9 = p_8 = None
        reason = None
        if self.columns is not None and place is not None:
            p_10, p_9, p_8 = (float(x) for x in self.columns.exactly[place, :-4:-1])
        elif self.patient_explained:
            reason = self._reason(self.slot[i])
        else:
            reason = PATIENT_UNEXPLAINED
        loci = {}
        for n, locus in enumerate(MATCH_LOCI):
            theirs = donors.locus(locus, candidate.codes[n])
            mine = self.patient.loci.get(locus)
            loci[locus] = LocusMatch(
                float(self.columns.both[place, n]) if self.columns is not None and place is not None else None,
                float(self.columns.one[place, n]) if self.columns is not None and place is not None else None,
                candidate.least[n],
                candidate.most[n],
                mine.text if mine else "",
                theirs.text if theirs else "",
                bool(theirs and theirs.presumed_homozygous),
            )
        return Hit(
            donors.donors[row],
            self.searcher.index.frequency_sets[int(donors.sets[row])].name,
            sum(candidate.least),
            sum(candidate.most),
            sum(code != 0 for code in candidate.codes[:-1]),
            p_10,
            p_9,
            p_8,
            reason,
            loci,
        )


def format_probability(p: float | None, digits: int = 1) -> str:
    """A probability in percent that never says 0 % or 100 % unless it is exactly so.

    Args:
        p: fraction of 1; within 1e-12 of 1 is 1, the accuracy all kernels agree to. None gives an empty text.
        digits: decimals.

    Returns:
        e.g. ``"97.3%"``, ``"<0.1%"``, ``">99.9%"``, ``"0%"``, ``"100%"``.
    """
    if p is None:
        return ""
    if p == 0:
        return "0%"
    if p >= 1 - 1e-12:
        return "100%"
    unit = 10.0**-digits
    if p * 100 < unit:
        return f"<{unit:.{digits}f}%"
    if p * 100 > 100 - unit:
        return f">{100 - unit:.{digits}f}%"
    return f"{p * 100:.{digits}f}%"


TABLE_HEADER = (
    "patient", "rank", "donor", "frequency_set", "count_min", "count_max", "typed_loci", "p_10", "p_9", "p_8",
    "reason", *(f"{locus}_both" for locus in MATCH_LOCI), *(f"{locus}_one" for locus in MATCH_LOCI),
)  # fmt: skip


def table_rows(patient: str, result: SearchResult) -> Iterator[Sequence[object]]:
    """A result as rows under `TABLE_HEADER`; numbers as the shortest text that reads back the same."""

    def cell(value: float | None) -> str:
        return "" if value is None else repr(value)

    for rank, hit in enumerate(result.hits, 1):
        yield (
            patient, rank, hit.donor, hit.frequency_set, hit.count_min, hit.count_max, hit.typed_loci,
            cell(hit.p_10), cell(hit.p_9), cell(hit.p_8), hit.reason or "",
            *(cell(hit.loci[locus].both) for locus in MATCH_LOCI),
            *(cell(hit.loci[locus].one) for locus in MATCH_LOCI),
        )  # fmt: skip
