"""Match probabilities of patients against donors: P(exactly 10, 9, 8 of 10) and P(2), P(1) per locus.

Patient and donor are independent. The count at a locus is the size of the multiset intersection of the two
allele pairs (2, 1 or 0). Four of five loci decide most pairs: equal genotypes and those that differ at one
locus are found by joining on keys; the full columns are computed for the pairs that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .imputation import Genotypes, mixed_key, pair_alleles

#: Join results held at a time (about 40 bytes each).
_CHUNK = 2_000_000
#: Genotype pairs compared at a time when a patient's columns are computed.
_BLOCK = 4_000_000
#: With fewer genotypes of the patient it costs less to compare than to look for equal donor genotypes.
_FEW = 4
#: Codes under this are recoded by a table, others by sorting.
_TABLE = 1 << 22


@dataclass(frozen=True)
class Columns:
    """Match columns of one patient against several donors.

    Attributes:
        exactly: ``float64 (donors, 2 * loci + 1)``; column k is P(exactly k alleles match), summing to 1
        over k.
        both, one: ``float64 (donors, loci)``, P(2) and P(1) at each locus.
    """

    exactly: NDArray[np.float64]
    both: NDArray[np.float64]
    one: NDArray[np.float64]


def shared(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Multiset intersection sizes of every genotype of one list with every one of another.

    Args:
        first, second: `imputation.pair_code` values, shapes ``(n,)`` and ``(m,)``.

    Returns:
        ``uint8 (n, m)`` of 0, 1, 2.
    """
    a, b = (x[:, None] for x in pair_alleles(first))
    c, d = (x[None, :] for x in pair_alleles(second))
    straight = (a == c).astype(np.uint8) + (b == d)
    crossed = (a == d).astype(np.uint8) + (b == c)
    return np.maximum(straight, crossed)


class Comparison:
    """Patients and donors coded together, so that equal genotypes have equal codes.

    Args:
        patients, donors: genotypes in one allele coding, with the same loci.
    """

    def __init__(self, patients: Genotypes, donors: Genotypes) -> None:
        self.patients, self.donors = patients, donors
        self.loci = patients.codes.shape[1]
        self._p, self._d, self._share = [], [], []
        for locus in range(self.loci):
            seen_p, p = _dense(patients.codes[:, locus])
            seen_d, d = _dense(donors.codes[:, locus])
            self._p.append(p)
            self._d.append(d)
            self._share.append(shared(seen_p, seen_d))
        self._p_offsets, self._d_offsets = patients.offsets(), donors.offsets()

    def near(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """P(all match) and P(all but one match) of every pair.

        Returns:
            two ``float64 (patients, donors)`` arrays.
        """
        loci = range(self.loci)
        both = np.concatenate([self.patients.codes, self.donors.codes])
        cut = len(self.patients.codes)
        full = self._join(mixed_key([both[:, i] for i in loci]), cut, None)
        less_one = np.zeros_like(full)
        for locus in loci:
            rest = [both[:, i] for i in loci if i != locus] or [np.zeros(len(both), np.int64)]
            less_one += self._join(mixed_key(rest), cut, locus)
        return _at_most_one(full), _at_most_one(less_one)

    def _join(self, key: NDArray[np.int64], cut: int, locus: int | None) -> NDArray[np.float64]:
        """Sum the products of entries with equal keys, and with one shared allele at `locus` where it is
        given."""
        donors = self.donors.subjects
        result = np.zeros(self.patients.subjects * donors)
        order = np.argsort(key[cut:], kind="stable")
        ordered = key[cut:][order]
        low = np.searchsorted(ordered, key[:cut], "left")
        count = np.searchsorted(ordered, key[:cut], "right") - low
        found = np.flatnonzero(count)
        low, count = low[found], count[found]
        edges = np.cumsum(count)
        start = 0
        while start < len(found):
            done = edges[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(edges, done + _CHUNK, "right")))
            counts = count[start:stop]
            p = np.repeat(found[start:stop], counts)
            within = np.arange(len(p)) - np.repeat(np.cumsum(counts) - counts, counts)
            d = order[np.repeat(low[start:stop], counts) + within]
            if locus is not None:
                keep = self._share[locus][self._p[locus][p], self._d[locus][d]] == 1
                p, d = p[keep], d[keep]
            product = self.patients.probability[p] * self.donors.probability[d]
            result += np.bincount(
                self.patients.owner[p] * donors + self.donors.owner[d], weights=product, minlength=len(result)
            )
            start = stop
        return result.reshape(self.patients.subjects, donors)

    def columns(self, patient: int, donors: NDArray[np.intp]) -> Columns:
        """All columns of one patient against chosen donors (``intp (n,)``, ascending, each with
        genotypes)."""
        mine = slice(self._p_offsets[patient], self._p_offsets[patient + 1])
        weight = self.patients.probability[mine]
        starts, stops = self._d_offsets[donors], self._d_offsets[donors + 1]
        sizes = stops - starts
        entries = np.repeat(starts, sizes) + np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        owner = np.repeat(np.arange(len(donors)), sizes)
        theirs = self.donors.probability[entries]
        shares = np.zeros((len(donors), self.loci, 3))
        of_p = [codes[mine] for codes in self._p]
        of_d = [codes[entries] for codes in self._d]
        for locus in range(self.loci):
            share = self._share[locus]
            marginal = np.bincount(of_p[locus], weights=weight, minlength=len(share))
            for size in range(3):
                chance = marginal @ (share == size)
                shares[:, locus, size] = np.bincount(owner, weights=theirs * chance[of_d[locus]], minlength=len(donors))
        exactly = self._exactly(weight, of_p, theirs, of_d, owner, len(donors))
        shares = _certain(shares)
        return Columns(_certain(exactly), shares[:, :, 2], shares[:, :, 1])

    def _exactly(
        self,
        weight: NDArray[np.float64],
        of_p: list[NDArray[np.intp]],
        theirs: NDArray[np.float64],
        of_d: list[NDArray[np.intp]],
        owner: NDArray[np.intp],
        donors: int,
    ) -> NDArray[np.float64]:
        counts = 2 * self.loci + 1
        if len(weight) < _FEW:
            index = inverse = np.arange(len(theirs))
        else:
            # Donors share genotypes: each distinct one meets the patient's once.
            _, index, inverse = np.unique(mixed_key(of_d), return_index=True, return_inverse=True)
        distinct = [codes[index] for codes in of_d]
        slot = np.arange(len(index)) * counts
        chance = np.zeros(len(index) * counts)
        step = max(1, _BLOCK // max(1, len(index)))
        for start in range(0, len(weight), step):
            part = slice(start, start + step)
            total = np.zeros((len(weight[part]), len(index)), np.uint8)
            for locus in range(self.loci):
                total += self._share[locus][of_p[locus][part]][:, distinct[locus]]
            mass = np.repeat(weight[part], len(index))
            chance += np.bincount((slot + total).reshape(-1), weights=mass, minlength=len(chance))
        chance = chance.reshape(len(index), counts)
        result = np.zeros((donors, counts))
        for count in range(counts):
            if chance[:, count].any():
                result[:, count] = np.bincount(
                    owner, weights=theirs * chance[inverse.reshape(-1), count], minlength=donors
                )
        return result


def _certain(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities over the last axis; where all others are exactly 0 the one that is left is exactly 1."""
    alone = np.count_nonzero(probability, axis=-1, keepdims=True) == 1
    return np.where(alone & (probability > 0), 1.0, _at_most_one(probability))


def _dense(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """The distinct codes, ascending, and which of them each is, as `numpy.unique`."""
    if int(codes.max(initial=0)) >= _TABLE:
        seen, place = np.unique(codes, return_inverse=True)
        return seen, place.reshape(-1)
    met = np.zeros(int(codes.max(initial=-1)) + 1, np.bool_)
    met[codes] = True
    return np.flatnonzero(met), (np.cumsum(met) - 1)[codes]


def _at_most_one(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums that rounding carried a unit in the last place above 1 are 1 (in place)."""
    return np.minimum(probability, 1.0, out=probability)
