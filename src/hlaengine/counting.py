"""How many alleles of a locus can match, at least and at most, by the allele sets alone.

Typings of a locus are kept once (a dictionary of distinct typings), their sides as bitsets over the elements
that are compared: allele names in the exercise, P groups in a search. A query is answered for all distinct
typings at once; a donor is then a few look-ups.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .typings import LocusTyping, Side

Element = str | int
#: Gives the elements an allele name stands for.
Elements = Callable[[str], Iterable[Element]]

#: The element of an allele not yet named; it matches nothing, itself included.
NEW = "NEW"
_OTHER, _NEW_BIT, _FIRST = 0, 1, 2
_MANY = 1 << 20


@dataclass(frozen=True)
class Alternative:
    """A genotype that may hold: two element sets (None: any), or `linked`, one element twice."""

    first: frozenset[Element] | None
    second: frozenset[Element] | None
    linked: bool = False


def alternatives(typing: LocusTyping, elements: Elements, null: Element | None = None) -> list[Alternative]:
    """The genotypes of a locus typing as element sets.

    Args:
        typing: the locus.
        elements: of an allele name; empty for a name that nothing is known of.
        null: the element of a null allele under policy ``expressed``, or None. Nulls within a side are
            ignored unless the side holds nothing else; a side of nulls shows its partner, per genotype.
    """
    result = []
    for pair in typing.alternatives:
        first, second = (_elements(side, elements, null) for side in pair)
        if null is not None and first != second:
            only_null = frozenset({null})
            if first == only_null:
                first = second
                result.append(Alternative(first, second, linked=True))
                continue
            if second == only_null:
                result.append(Alternative(first, first, linked=True))
                continue
        result.append(Alternative(first, second))
    return list(dict.fromkeys(result))


def _elements(side: Side, elements: Elements, null: Element | None) -> frozenset[Element] | None:
    if side is None:
        return None
    found = {e for name in side for e in ([NEW] if name.endswith("*NEW") else elements(name))}
    if null is not None and found - {null}:
        found.discard(null)
    return frozenset(found)


class LocusTable:
    """The distinct typings of one locus; code 0 is "untyped", code i the i-th typing given.

    Args:
        typings: alternatives of each distinct typing, for the codes 1, 2, ….
    """

    def __init__(self, typings: list[list[Alternative]]) -> None:
        self.size = len(typings) + 1
        self._bit: dict[Element, int] = {NEW: _NEW_BIT}
        flat = [(owner, a) for owner, group in enumerate(typings, 1) for a in group]
        for _, alternative in flat:
            for side in (alternative.first, alternative.second):
                for element in side or ():
                    self._bit.setdefault(element, len(self._bit) + 1)
        words = (len(self._bit) + 1 + 63) // 64
        self._owner = np.array([owner for owner, _ in flat], dtype=np.intp)
        self._linked = np.array([a.linked for _, a in flat], dtype=bool)
        self._sides = np.zeros((2, len(flat), words), dtype=np.uint64)
        self._sizes = np.zeros((2, len(flat)), dtype=np.int64)
        for row, (_, alternative) in enumerate(flat):
            for which, side in enumerate((alternative.first, alternative.second)):
                if side is None:
                    self._sides[which, row] = ~np.uint64(0)
                    self._sides[which, row, 0] &= ~np.uint64(1 << _NEW_BIT)
                    self._sizes[which, row] = _MANY
                    continue
                self._sizes[which, row] = len(side)
                for element in side:
                    bit = self._bit[element]
                    self._sides[which, row, bit >> 6] |= np.uint64(1 << (bit & 63))

    def packed(self) -> bytes:
        """The table of a search, whose elements are P codes, as bytes; `unpacked` reads them."""
        elements = np.array([-1 if e == NEW else e for e in self._bit], dtype=np.int64)
        stream = io.BytesIO()
        np.savez(
            stream, size=self.size, elements=elements, bits=np.array(list(self._bit.values()), dtype=np.int64),
            owner=self._owner, linked=self._linked, sides=self._sides, sizes=self._sizes,
        )  # fmt: skip
        return stream.getvalue()

    @classmethod
    def unpacked(cls, content: bytes) -> LocusTable:
        """The table that `packed` gave."""
        table = cls.__new__(cls)
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            table.size = int(held["size"])
            names: list[Element] = [NEW if e < 0 else e for e in held["elements"].tolist()]
            table._bit = dict(zip(names, held["bits"].tolist(), strict=True))
            table._owner, table._linked = held["owner"], held["linked"]
            table._sides, table._sizes = held["sides"], held["sizes"]
        return table

    def possible(self, query: list[Alternative] | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Least and greatest possible count against each distinct typing.

        Args:
            query: the other subject's alternatives; None where untyped.

        Returns:
            two ``uint8 (size,)``, each 0 to 2; an untyped locus on either side is 0 and 2.
        """
        least = np.zeros(self.size, np.uint8)
        most = np.full(self.size, 2, np.uint8)
        if query is None or self.size == 1:
            return least, most
        least[1:], most[1:] = 2, 0
        for alternative in query:
            high = self._most(alternative)
            low = self._least(alternative, high)
            np.maximum.at(most, self._owner, high)
            np.minimum.at(least, self._owner, low)
        return least, most

    def _bits(self, side: frozenset[Element] | None) -> NDArray[np.uint64]:
        bits = np.zeros(self._sides.shape[2], np.uint64)
        if side is None:
            bits[:] = ~np.uint64(0)
            bits[0] &= ~np.uint64(1 << _NEW_BIT)
            return bits
        for element in side:
            if element != NEW:
                bit = self._bit.get(element, _OTHER)
                bits[bit >> 6] |= np.uint64(1 << (bit & 63))
        return bits

    def _most(self, query: Alternative) -> NDArray[np.uint8]:
        s1, s2 = self._bits(query.first), self._bits(query.second)
        t1, t2 = self._sides
        i11, i12, i21, i22 = ((s & t).any(axis=1) for s, t in ((s1, t1), (s1, t2), (s2, t1), (s2, t2)))
        some = i11 | i12 | i21 | i22
        if query.linked:
            two = np.where(self._linked, i11, (s1 & t1 & t2).any(axis=1))
        else:
            two = np.where(self._linked, (s1 & s2 & t1).any(axis=1), (i11 & i22) | (i12 & i21))
        return some.astype(np.uint8) + two

    def _least(self, query: Alternative, most: NDArray[np.uint8]) -> NDArray[np.uint8]:
        sides = [query.first] if query.linked else [query.first, query.second]
        # A side of three or more can always step aside from two donor alleles, so only small sides are tried.
        small = [sorted(s, key=str) if s is not None and len(s) <= 2 else [None] for s in sides]
        apart = np.zeros(len(most), dtype=bool)
        for one in small[0]:
            for two in small[-1]:
                taken = {e for e in (one, two) if e is not None and e != NEW}
                free = np.ones(len(most), dtype=bool)
                for which in (0, 1):
                    free &= self._sizes[which] - sum(self._holds(which, e) for e in taken) > 0
                apart |= free
        fixed = all(s is not None and len(s) == 1 for s in sides)
        sure = (self._sizes == 1).all(axis=0) & (most == 2) & fixed
        return np.where(apart, 0, np.where(sure, 2, 1)).astype(np.uint8)

    def _holds(self, which: int, element: Element) -> NDArray[np.int64]:
        bit = self._bit.get(element)
        if bit is None:
            return np.zeros(len(self._owner), np.int64)
        return ((self._sides[which, :, bit >> 6] >> np.uint64(bit & 63)) & np.uint64(1)).astype(np.int64)
