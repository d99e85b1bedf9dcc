"""Exact imputation: every haplotype pair that explains a typing, and the genotypes they make.

A pair {h1, h2} explains a typing when at every typed locus some alternative holds h1 in one side and h2 in
the other. Its weight is f1*f2 where h1 = h2 and 2*f1*f2 otherwise (Hardy-Weinberg); nothing is cut off.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .frequencies import FrequencySet
from .nomenclature import Nomenclature
from .typings import LocusTyping, PhasedBlock, Side, Typing

#: Why a subject has no probability.
NOT_IN_SET = "allele_not_in_set"
NO_PAIR = "no_haplotype_pair"
NEW_ALLELE = "new_allele"

_CACHED_LOCUS_TYPINGS = 20_000


@dataclass(frozen=True)
class Unexplained:
    """Why: `reason`, and for an empty side its `locus` and the alleles it held (`allele`, joined by
    ``/``)."""

    reason: str
    locus: str = ""
    allele: str = ""


@dataclass(frozen=True)
class Pairs:
    """Haplotype pairs that explain one typing.

    Attributes:
        first, second: ``intp (pairs,)``, haplotype indices, first <= second; each pair once.
        probability: ``float64 (pairs,)``, weights over their sum.
        z: the sum of weights.
        unexplained: empty, or why there is no pair.
        dropped: allele names of the typing that the set does not hold.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    probability: NDArray[np.float64]
    z: float
    unexplained: tuple[Unexplained, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class _LocusMask:
    """A locus typing, or loci in phase, against a set: a class for every haplotype (0: fits nowhere), and
    which classes may pair."""

    classes: NDArray[np.integer]
    pairable: NDArray[np.bool_]
    unexplained: tuple[Unexplained, ...]
    dropped: tuple[str, ...]


class Imputer:
    """Imputes typings against one frequency set.

    Args:
        frequency_set: the haplotypes.
        nomenclature: leads a longer name to the set's allele.
    """

    def __init__(self, frequency_set: FrequencySet, nomenclature: Nomenclature) -> None:
        self.set = frequency_set
        self.nomenclature = nomenclature
        self._masks: OrderedDict[LocusTyping | PhasedBlock, _LocusMask] = OrderedDict()
        self._two_field: dict[str, set[int]] = {}
        self._families: dict[str, set[int]] = {}
        for names in frequency_set.alleles:
            for code, name in enumerate(names):
                self._families.setdefault(name.split(":")[0], set()).add(code)
                for two_field in nomenclature.expand(name.removesuffix("g")):
                    self._two_field.setdefault(two_field, set()).add(code)
        # A set at level "g" names one allele for a whole group: any member reaches it.
        for names in frequency_set.alleles:
            for code, name in enumerate(names):
                if name.endswith("g"):
                    for member in nomenclature.expand(name):
                        self._two_field.setdefault(member, set()).add(code)

    def codes(self, name: str) -> tuple[int, ...] | None:
        """The set's alleles that a name may stand for; None where the nomenclature lacks a name it is needed
        for.

        The set's own name stands for itself; ``XX`` for every allele of the set with that first field; any
        other name is led by the nomenclature. A two-field name that neither knows is merely not held: ``()``.
        """
        own = self.set.code(name)
        if own is not None:
            return (own,)
        if name.endswith(":XX"):
            return tuple(sorted(self._families.get(name[:-3], ())))
        if name.endswith("*NEW"):
            return ()
        two_fields = self.nomenclature.expand(name)
        if not two_fields and (name.count(":") > 1 or name[-1] in "GP"):
            return None
        found: set[int] = set()
        for two_field in two_fields:
            own = self.set.code(two_field)
            found |= self._two_field.get(two_field, set()) if own is None else {own}
        return tuple(sorted(found))

    def impute(self, typing: Typing) -> Pairs:
        """Every haplotype pair that explains a typing, without a bound.

        Raises:
            TypingError: ``typing.unknown_allele`` for a longer name the nomenclature lacks.
        """
        parts: list[LocusTyping | PhasedBlock] = [typing.loci[x] for x in self.set.loci if x in typing.loci]
        parts += typing.phased
        masks = [self._mask(typing, part) for part in parts]
        dropped = tuple(name for mask in masks for name in mask.dropped)
        reasons = tuple(dict.fromkeys(reason for mask in masks for reason in mask.unexplained))
        if reasons:
            return _nothing(reasons, dropped)
        first, second = _explaining_pairs(len(self.set.frequencies), masks)
        frequencies = self.set.frequencies
        weight = frequencies[first] * frequencies[second]
        weight[first != second] *= 2.0
        z = float(weight.sum())
        if not z > 0:
            return _nothing((Unexplained(NO_PAIR),), dropped)
        return Pairs(first, second, np.minimum(weight / z, 1.0), z, (), dropped)

    def _mask(self, typing: Typing, part: LocusTyping | PhasedBlock) -> _LocusMask:
        mask = self._masks.get(part)
        if mask is None:
            made = self._locus_mask(typing, part) if isinstance(part, LocusTyping) else self._phase_mask(typing, part)
            mask = self._masks[part] = made
            if len(self._masks) > _CACHED_LOCUS_TYPINGS:
                self._masks.popitem(last=False)
        return mask

    def _locus_mask(self, typing: Typing, locus: LocusTyping) -> _LocusMask:
        column = self.set.loci.index(locus.locus)
        size = len(self.set.alleles[column])
        dropped: dict[str, None] = {}
        sides: list[NDArray[np.bool_]] = []
        empty: dict[Unexplained, None] = {}
        for pair in locus.alternatives:
            held = [self._side(typing, side, size, dropped) for side in pair]
            for side, mask in zip(pair, held, strict=True):
                if side is not None and not mask.any():
                    empty[Unexplained(NOT_IN_SET, locus.locus, "/".join(side))] = None
            if all(mask.any() for mask in held):
                sides += held
        if locus.has_new:
            # How often an unnamed allele travels with others is unknown: no prediction, not a wrong one.
            sides, empty = [], {Unexplained(NEW_ALLELE, locus.locus, locus.text): None}
        if not sides:
            return _LocusMask(np.zeros(0, np.uint8), np.zeros((0, 0), np.bool_), tuple(empty), tuple(dropped))
        of_allele, pairable = _classes(sides)
        return _LocusMask(of_allele[self.set.codes[:, column]], pairable, (), tuple(dropped))

    def _phase_mask(self, typing: Typing, block: PhasedBlock) -> _LocusMask:
        """As `_locus_mask`, each copy a set of haplotypes; loci that the set does not hold are left out."""
        copies: list[NDArray[np.bool_]] = []
        for pair in block.alternatives:
            for copy in pair:
                held = np.ones(len(self.set.frequencies), np.bool_)
                for locus, side in copy or ():
                    if locus in self.set.loci:
                        column = self.set.loci.index(locus)
                        size = len(self.set.alleles[column])
                        held &= self._side(typing, side, size, {})[self.set.codes[:, column]]
                copies.append(held)
        return _LocusMask(*_classes(copies), (), ())

    def held(self, side: Side, size: int) -> NDArray[np.bool_] | None:
        """Which of the `size` alleles of a locus a side holds; None where the nomenclature lacks a name."""
        mask = np.zeros(size, np.bool_)
        for name in side or ():
            codes = self.codes(name)
            if codes is None:
                return None
            mask[list(codes)] = True
        return ~mask if side is None else mask

    def _side(self, typing: Typing, side: Side, size: int, dropped: dict[str, None]) -> NDArray[np.bool_]:
        mask = np.zeros(size, np.bool_)
        if side is None:
            return ~mask
        for name in side:
            codes = self.codes(name)
            if codes is None:
                raise typing.unknown(name, self.nomenclature.advice(name), nomenclature=self.nomenclature.label)
            if not codes:
                dropped[name] = None
            mask[list(codes)] = True
        return mask


def _nothing(reasons: tuple[Unexplained, ...], dropped: tuple[str, ...]) -> Pairs:
    none = np.zeros(0, np.intp)
    return Pairs(none, none, np.zeros(0), 0.0, reasons, dropped)


def _classes(sides: list[NDArray[np.bool_]]) -> tuple[NDArray[np.integer], NDArray[np.bool_]]:
    """Classes of items that the sides of alternatives hold alike.

    Args:
        sides: first and second side of each alternative in turn, ``bool (items,)``.

    Returns:
        the class of every item, 0 where no side holds it, and which classes may pair, ``bool (classes, classes)``.
    """
    # Two bits an alternative: items with equal patterns are one class, and classes pair or do not.
    patterns, of_item = np.unique(np.array(sides).T, axis=0, return_inverse=True)
    pairable = np.zeros((len(patterns), len(patterns)), np.bool_)
    for i in range(0, len(sides), 2):
        forth = patterns[:, i, None] & patterns[None, :, i + 1]
        pairable |= forth | forth.T
    # np.unique sorts patterns, so "held by none" is class 0 if there is such; otherwise make room for it.
    shift = 0 if not patterns[0].any() else 1
    if shift:
        pairable = np.pad(pairable, ((1, 0), (1, 0)))
    classes = of_item.reshape(-1) + shift
    return classes.astype(np.uint8 if len(pairable) < 256 else np.uint16), pairable


def _explaining_pairs(size: int, masks: list[_LocusMask]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All (first <= second) haplotype pairs whose classes may pair at every locus.

    Candidates are grouped by their classes over the loci; groups are tested pair by pair and then multiplied
    out, so the cost follows the size of the answer.
    """
    fits = np.ones(size, np.bool_)
    for mask in masks:
        fits &= mask.classes != 0
    candidates = np.flatnonzero(fits)
    pattern = np.zeros(len(candidates), np.int64)
    chosen = []
    for mask in masks:
        classes = mask.classes[candidates]
        chosen.append(classes)
        if int(pattern.max(initial=0) + 1) * len(mask.pairable) >= 2**62:
            pattern = np.unique(pattern, return_inverse=True)[1]
        pattern = pattern * len(mask.pairable) + classes
    _, member, group, sizes = np.unique(pattern, return_index=True, return_inverse=True, return_counts=True)
    allowed = np.ones((len(member), len(member)), np.bool_)
    for mask, classes in zip(masks, chosen, strict=True):
        of_group = classes[member]
        allowed &= mask.pairable[of_group[:, None], of_group[None, :]]
    left, right = np.nonzero(np.triu(allowed))
    ordered = candidates[np.argsort(group, kind="stable")]
    starts = np.cumsum(sizes) - sizes
    counts = sizes[left] * sizes[right]
    block = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(block)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = sizes[right][block]
    one = ordered[starts[left][block] + within // width]
    two = ordered[starts[right][block] + within % width]
    keep = (left != right)[block] | (one <= two)
    one, two = one[keep], two[keep]
    return np.minimum(one, two), np.maximum(one, two)


def pair_code(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    """One integer for an unordered pair, low <= high: its place in the triangle 00, 01, 11, 02, 12, 22, …"""
    return high * (high + 1) // 2 + low


def pair_alleles(code: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (low, high) of `pair_code`; exact for codes under 2**50."""
    high = ((np.sqrt(8.0 * code + 1.0) - 1.0) / 2.0).astype(np.int64)
    return code - high * (high + 1) // 2, high


def mixed_key(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One integer key per row, equal exactly where all columns are equal (within this call).

    Columns are recoded densely where the key would outgrow 62 bits.
    """
    key = columns[0].astype(np.int64)
    for column in columns[1:]:
        radix = int(column.max(initial=0)) + 1
        if (int(key.max(initial=0)) + 1) * radix >= 2**62:
            key = np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)
            column = np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
            radix = int(column.max(initial=0)) + 1
        key = key * radix + column
    return key


@dataclass(frozen=True)
class Genotypes:
    """The genotypes of several subjects, phase dropped.

    Attributes:
        owner: ``intp (entries,)``, the subject of each entry, ascending.
        codes: ``int64 (entries, loci)``: unordered allele pairs as `pair_code`, in the caller's allele
            coding.
        probability: ``float64 (entries,)``; sums to 1 over an explained subject.
        subjects: number of subjects, those without an entry counted.
    """

    owner: NDArray[np.intp]
    codes: NDArray[np.int64]
    probability: NDArray[np.float64]
    subjects: int

    def offsets(self) -> NDArray[np.intp]:
        """``intp (subjects + 1,)``: the entries of subject i are offsets[i]:offsets[i + 1]."""
        return np.searchsorted(self.owner, np.arange(self.subjects + 1)).astype(np.intp)


def genotype_codes(
    first: NDArray[np.intp], second: NDArray[np.intp], allele_codes: NDArray[np.int64], null: int | None = None
) -> NDArray[np.int64]:
    """The genotype of each haplotype pair: ``int64 (pairs, loci)`` of `pair_code`; see `genotypes_of`."""
    one, two = allele_codes[first], allele_codes[second]
    low, high = np.minimum(one, two), np.maximum(one, two)
    if null is not None:
        # A null allele is not expressed: the person shows the partner allele only (per genotype, not per
        # typing).
        low = np.where(low == null, high, low)
    return pair_code(low, high)


def genotypes_of(
    pairs: Pairs, allele_codes: NDArray[np.int64], null: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge haplotype pairs into genotypes.

    Args:
        pairs: of one subject.
        allele_codes: ``int64 (haplotypes, loci)``, the coding to compare in, under 2**20.
        null: code of a null allele that takes the code of its partner (policy ``expressed``), or None.

    Returns:
        ``(codes int64 (genotypes, loci), probability float64 (genotypes,))``, ascending by the merged key.
    """
    codes = genotype_codes(pairs.first, pairs.second, allele_codes, null)
    if not len(codes):
        return codes, np.zeros(0)
    key = mixed_key([codes[:, i] for i in range(codes.shape[1])])
    _, index, inverse = np.unique(key, return_index=True, return_inverse=True)
    probability = np.zeros(len(index))
    np.add.at(probability, inverse.reshape(-1), pairs.probability)
    return codes[index], probability


def stack(parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]], loci: int) -> Genotypes:
    """Stack the genotypes of subjects 0, 1, … into one table."""
    sizes = [len(p) for _, p in parts]
    codes = np.concatenate([c for c, _ in parts]) if parts else np.zeros((0, loci), np.int64)
    probability = np.concatenate([p for _, p in parts]) if parts else np.zeros(0)
    return Genotypes(np.repeat(np.arange(len(parts)), sizes), codes, probability, len(parts))
