"""Many distinct donor typings imputed at once.

A locus typing gives each allele of the set a word of bits, one an alternative: in its first side, in its
second. Alleles a and b may stand together where ``first[a] & second[b] | second[a] & first[b]`` is not 0, so
a pair of haplotypes is tested by look-ups over all typings together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .imputation import Imputer
from .typings import LocusTyping

#: Cells of the table typings × haplotypes, and haplotype pairs, held at a time.
_CELLS, _PAIRS = 8_000_000, 2_000_000
_ALTERNATIVES = 64
_Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Entries:
    """Haplotype pairs of several typings.

    Attributes:
        owner: ``intp (pairs,)``, the row of the typing, ascending.
        first, second: ``intp (pairs,)``, haplotype indices, first <= second.
        weight: ``float64 (pairs,)``, f1·f2, twice that where they differ.
    """

    owner: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    weight: NDArray[np.float64]


class BatchImputer:
    """Imputes rows of codes into dictionaries of locus typings against one set.

    Args:
        imputer: of the set; its masks say what a side holds.
        typing_of: (column of the set, code) to the locus typing; code 0, untyped, is not asked for.
    """

    def __init__(self, imputer: Imputer, typing_of: Callable[[int, int], LocusTyping]) -> None:
        self._imputer, self._typing_of = imputer, typing_of
        self._words: list[dict[int, tuple[_Words, _Words] | None]] = [{} for _ in imputer.set.loci]

    def able(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which rows (``int64 (typings, loci)``) can be imputed here: ``bool (typings,)``.

        The others have a locus of too many alternatives, ``NEW``, or a name that the nomenclature lacks; see
        `imputation.Imputer.impute`.
        """
        able = np.ones(len(codes), np.bool_)
        for column in range(codes.shape[1]):
            distinct, inverse = np.unique(codes[:, column], return_inverse=True)
            good = np.array([self._of(column, code) is not None for code in distinct.tolist()], dtype=np.bool_)
            able &= good[inverse.reshape(-1)]
        return able

    def entries(self, codes: NDArray[np.int64]) -> Iterator[Entries]:
        """The pairs of every row that is `able`, in pieces of bounded size; owners ascend throughout.

        Args:
            codes: ``int64 (typings, loci)``.
        """
        if not len(codes):
            return
        haplotypes = self._imputer.set.codes
        lookups = []
        for column in range(codes.shape[1]):
            distinct, inverse = np.unique(codes[:, column], return_inverse=True)
            words = [self._of(column, code) for code in distinct.tolist()]
            first, second = (np.array([w[side] for w in words if w is not None]) for side in (0, 1))
            lookups.append((inverse.reshape(-1), first, second, ((first | second) != 0)[:, haplotypes[:, column]]))
        step = max(1, _CELLS // max(1, len(haplotypes)))
        for start in range(0, len(codes), step):
            rows = slice(start, start + step)
            fits = np.ones((len(codes[rows]), len(haplotypes)), np.bool_)
            for place, _, _, held in lookups:
                fits &= held[place[rows]]
            owner, candidate = np.nonzero(fits)
            yield from self._pairs(start, np.bincount(owner, minlength=len(fits)), candidate, lookups)

    def _pairs(
        self,
        start: int,
        sizes: NDArray[np.intp],
        candidate: NDArray[np.intp],
        lookups: list[tuple[NDArray[np.intp], _Words, _Words, NDArray[np.bool_]]],
    ) -> Iterator[Entries]:
        # Every candidate meets itself and those after it of the same typing.
        ends = np.repeat(np.cumsum(sizes), sizes)
        owner = np.repeat(np.arange(start, start + len(sizes)), sizes)
        partners = ends - np.arange(len(candidate))
        edges = np.cumsum(partners)
        frequencies, haplotypes = self._imputer.set.frequencies, self._imputer.set.codes
        begin = 0
        while begin < len(candidate):
            done = edges[begin - 1] if begin else 0
            stop = max(begin + 1, int(np.searchsorted(edges, done + _PAIRS, "right")))
            counts = partners[begin:stop]
            one = np.repeat(np.arange(begin, stop), counts)
            two = one + np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
            whose, first, second = owner[one], candidate[one], candidate[two]
            for column, (place, left, right, _) in enumerate(lookups):
                typing, a, b = place[whose], haplotypes[first, column], haplotypes[second, column]
                keep = (left[typing, a] & right[typing, b] | right[typing, a] & left[typing, b]) != 0
                if not keep.all():
                    whose, first, second = whose[keep], first[keep], second[keep]
            weight = frequencies[first] * frequencies[second]
            weight[first != second] *= 2.0
            yield Entries(whose, first, second, weight)
            begin = stop

    def _of(self, column: int, code: int) -> tuple[_Words, _Words] | None:
        known = self._words[column]
        if code not in known:
            known[code] = self._make(column, code)
        return known[code]

    def _make(self, column: int, code: int) -> tuple[_Words, _Words] | None:
        size = len(self._imputer.set.alleles[column])
        first, second = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
        if code == 0:
            return ~first, ~second
        locus = self._typing_of(column, code)
        if locus.has_new or len(locus.alternatives) > _ALTERNATIVES:
            return None
        for bit, pair in enumerate(locus.alternatives):
            for words, side in zip((first, second), pair, strict=True):
                held = self._imputer.held(side, size)
                if held is None:
                    return None
                words[held] |= np.uint64(1 << bit)
        return first, second
