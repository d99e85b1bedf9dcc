"""The matching exercise: files of patients and donors against one frequency set, the set's own names
compared.

Bochtler et al. 2016, HLA 87(6):439-448, doi 10.1111/tan.12817. Null alleles are alleles like others here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .counting import Element, LocusTable, alternatives
from .errors import FrequencyError, HlaError
from .frequencies import FrequencySet
from .imputation import Genotypes, Imputer, Pairs, genotypes_of, stack
from .matching import Comparison
from .nomenclature import Nomenclature
from .subjects import Subject
from .typings import MATCH_LOCI

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class MatchRow:
    """One line of the result; numbers are None where patient or donor is unexplained.

    `both` and `one` follow `MATCH_LOCI`.
    """

    patient: str
    donor: str
    p_10: float | None
    p_9: float | None
    p_8: float | None
    both: tuple[float, ...] | None
    one: tuple[float, ...] | None


@dataclass
class Imputed:
    """Subjects and what imputation made of them."""

    subjects: list[Subject]
    unexplained: list[Pairs | None]
    genotypes: Genotypes
    dropped: int


def require_match_loci(frequency_set: FrequencySet) -> None:
    """Raise unless the set holds exactly the five loci that the exercise's columns name."""
    if frequency_set.loci != MATCH_LOCI:
        raise FrequencyError(
            "frequencies.loci",
            f"Matching needs haplotypes of {'~'.join(MATCH_LOCI)}; the set has {'~'.join(frequency_set.loci)}.",
            loci=list(frequency_set.loci),
        )


def impute_subject(imputer: Imputer, subject: Subject) -> Pairs:
    """Impute one subject; an error names its file, line and column."""
    try:
        return imputer.impute(subject.typing)
    except HlaError as error:
        raise error.at(subject.file, subject.line, subject.offset) from None


def impute_subjects(imputer: Imputer, subjects: list[Subject], progress: Progress | None = None) -> Imputed:
    """Impute every subject and merge the haplotype pairs to genotypes in the set's allele codes."""
    codes = imputer.set.codes.astype(np.int64)
    parts, unexplained, dropped = [], [], 0
    for done, subject in enumerate(subjects, 1):
        pairs = impute_subject(imputer, subject)
        dropped += len(pairs.dropped)
        unexplained.append(pairs if pairs.unexplained else None)
        parts.append(genotypes_of(pairs, codes))
        if progress is not None:
            progress(done, len(subjects))
    return Imputed(subjects, unexplained, stack(parts, len(imputer.set.loci)), dropped)


def match(patients: Imputed, donors: Imputed, imputer: Imputer, *, min_probability: float = 1e-6) -> Iterator[MatchRow]:
    """Rows in patient order; within a patient by p_10, p_9, p_8 descending, then donor id.

    A pair is kept where p_10 + p_9 > `min_probability`. Where patient or donor is unexplained it stands
    after the others of its patient, if by the allele names at most one mismatch is possible.
    """
    comparison = Comparison(patients.genotypes, donors.genotypes)
    p_10, p_9 = comparison.near()
    kept = p_10 + p_9 > min_probability
    ids = [donor.id for donor in donors.subjects]
    possible = _PossibleMatches(patients, donors, imputer)
    for i, patient in enumerate(patients.subjects):
        chosen = np.flatnonzero(kept[i])
        rows = []
        if len(chosen):
            columns = comparison.columns(i, chosen)
            for k, donor in enumerate(chosen.tolist()):
                rows.append(
                    MatchRow(
                        patient.id,
                        ids[donor],
                        float(p_10[i, donor]),
                        float(p_9[i, donor]),
                        float(columns.exactly[k, -3]),
                        tuple(columns.both[k].tolist()),
                        tuple(columns.one[k].tolist()),
                    )
                )
        rows.sort(key=lambda row: (-row.p_10, -row.p_9, -row.p_8, row.donor))  # type: ignore[operator]
        yield from rows
        for donor in sorted(possible.donors_of(i), key=ids.__getitem__):
            yield MatchRow(patient.id, ids[donor], None, None, None, None, None)


class _PossibleMatches:
    """Donors that may match by allele names, for pairs in which someone is unexplained."""

    def __init__(self, patients: Imputed, donors: Imputed, imputer: Imputer) -> None:
        self.patients, self.donors = patients, donors
        self.unexplained_donors = np.array([u is not None for u in donors.unexplained], dtype=bool)
        self.needed = bool(self.unexplained_donors.any()) or any(u is not None for u in patients.unexplained)
        if not self.needed:
            return
        self._names = _Names(imputer.nomenclature, imputer.set, [*patients.subjects, *donors.subjects])
        self.tables, self.codes = [], []
        for locus in MATCH_LOCI:
            distinct = list(dict.fromkeys(s.typing.loci[locus] for s in donors.subjects if locus in s.typing.loci))
            code = {typing: n for n, typing in enumerate(distinct, 1)}
            self.codes.append(
                np.array([code.get(s.typing.loci.get(locus), 0) for s in donors.subjects])  # type: ignore[arg-type]
            )
            self.tables.append(LocusTable([alternatives(t, self._names.elements) for t in distinct]))

    def donors_of(self, patient: int) -> list[int]:
        if not self.needed:
            return []
        wanted = self.unexplained_donors
        if self.patients.unexplained[patient] is not None:
            wanted = np.ones_like(wanted)
        elif not wanted.any():
            return []
        most = np.zeros(len(self.codes[0]), np.int64)
        loci = self.patients.subjects[patient].typing.loci
        for locus, table, codes in zip(MATCH_LOCI, self.tables, self.codes, strict=True):
            query = alternatives(loci[locus], self._names.elements) if locus in loci else None
            most += table.possible(query)[1][codes]
        return np.flatnonzero(wanted & (most >= 2 * len(MATCH_LOCI) - 1)).tolist()


class _Names:
    """Allele names as comparable elements: two-field names where the nomenclature leads there."""

    def __init__(self, nomenclature: Nomenclature, frequency_set: FrequencySet, subjects: list[Subject]) -> None:
        self._nomenclature = nomenclature
        self._families: dict[str, set[str]] = {}
        written = {n for s in subjects for locus in s.typing.loci.values() for n in locus.names()}
        held = {name for names in frequency_set.alleles for name in names}
        for name in sorted(written | held):
            if not name.endswith(":XX"):
                for element in self.elements(name):
                    self._families.setdefault(element.split(":")[0], set()).add(element)

    def elements(self, name: str) -> tuple[str, ...]:
        """Two-field names; an unknown name stands for itself, ``XX`` for all names met of its first field."""
        if name.endswith(":XX"):
            family = name[:-3]
            return (*sorted(self._families.get(family, set()) | set(self._nomenclature.expand(name))), name)
        return self._nomenclature.expand(name) or (name.removesuffix("g"),)


__all__ = [
    "Element",
    "Imputed",
    "MatchRow",
    "impute_subject",
    "impute_subjects",
    "match",
    "require_match_loci",
]
