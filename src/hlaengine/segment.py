"""Donors as codes: one small integer per locus into a dictionary of distinct locus typings.

The base of an index and the rows laid over it in a search are both segments, so both are searched the same
way.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .counting import LocusTable, alternatives
from .errors import HlaError, SearchError
from .nomenclature import NULL, Nomenclature
from .typings import MATCH_LOCI, LocusTyping, PhasedBlock, Typing, parse

#: Stands among the loci for what is known of phase, as text of whole blocks.
PHASE = "phase"
COLUMNS = (*MATCH_LOCI, PHASE)


@dataclass(frozen=True)
class DonorRow:
    """A donor as the register knows it: key, typing (None: gone), and the frequency set that serves it."""

    donor: str
    typing: str | None
    frequency_set: str


@dataclass(frozen=True)
class Segment:
    """Donors in ascending order of key.

    Attributes:
        donors: the keys, a sequence of text.
        sets: ``uint8 (donors,)``, index into the index's frequency sets.
        codes: per locus and for `PHASE`, unsigned ``(donors,)``: 0 untyped, i the i-th distinct typing.
        texts: per locus and for `PHASE`, the distinct typings as text, for the codes 1, 2, ….
        blank: how a blank side was read (`typings.parse`).
        parsed: per locus, code to what its text was read as; filled as it is asked for.
    """

    donors: Sequence[str]
    sets: NDArray[np.uint8]
    codes: dict[str, NDArray[np.unsignedinteger]]
    texts: dict[str, Sequence[str]]
    blank: str
    parsed: dict[str, dict[int, LocusTyping]] = field(default_factory=lambda: {x: {} for x in MATCH_LOCI}, repr=False)

    def locus(self, locus: str, code: int) -> LocusTyping | None:
        """The typing of a locus that a code stands for; None for 0, untyped."""
        if code == 0:
            return None
        known = self.parsed[locus]
        if code not in known:
            known[code] = parse(self.texts[locus][code - 1], blank=self.blank).loci[locus]
        return known[code]

    def tables(self, nomenclature: Nomenclature) -> dict[str, LocusTable]:
        """Per locus, its distinct typings as sets of P codes, nulls not expressed."""
        return {
            locus: LocusTable(
                [
                    alternatives(typing, nomenclature.p_codes, NULL)
                    for code in range(1, len(self.texts[locus]) + 1)
                    if (typing := self.locus(locus, code)) is not None
                ]
            )
            for locus in MATCH_LOCI
        }

    def typing(self, row: int) -> Typing:
        """A donor's typing, over the loci of the index."""
        codes = self.row_codes(row)
        loci = {x: typing for x in MATCH_LOCI if (typing := self.locus(x, codes[x])) is not None}
        phased: tuple[PhasedBlock, ...] = ()
        if codes[PHASE]:
            phased = parse(self.texts[PHASE][codes[PHASE] - 1], blank=self.blank).phased
        return Typing(loci, "", {}, phased)

    def row_codes(self, row: int) -> dict[str, int]:
        """Locus, and `PHASE`, to code of one donor."""
        return {locus: int(codes[row]) for locus, codes in self.codes.items()}

    def find(self, donor: str) -> int | None:
        """The row of a donor, or None; by bisection."""
        low, high = 0, len(self.donors)
        while low < high:
            middle = (low + high) // 2
            if self.donors[middle] < donor:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.donors) and self.donors[low] == donor else None


def code_type(size: int) -> type[np.unsignedinteger]:
    """The smallest unsigned type that holds the codes 0 to `size`."""
    return np.uint8 if size < 1 << 8 else np.uint16 if size < 1 << 16 else np.uint32


def from_rows(
    rows: Iterable[DonorRow],
    *,
    set_names: Sequence[str],
    nomenclature: Nomenclature,
    blank: str = "homozygous",
    on_refused: Callable[[DonorRow, HlaError], None] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Segment:
    """Code donors; rows whose typing is None are passed over.

    Args:
        rows: donors in any order, each key once.
        set_names: the frequency sets that `DonorRow.frequency_set` may name.
        nomenclature: must hold every allele of the match loci.
        blank: see `typings.parse`.
        on_refused: called with a row that cannot be coded and its error, and the row is left out; None
            raises.
        progress: called with (done, total or None).

    Raises:
        HlaError: ``params["donor"]`` names the donor; ``search.duplicate_donor``, ``search.unknown_set``, or
            the error of its typing.
    """
    total = len(rows) if isinstance(rows, Sequence) else None
    sets = {name: i for i, name in enumerate(set_names)}
    coder = _Coder(nomenclature, blank)
    records: dict[str, int] = {}
    set_codes, codes = bytearray(), array("I")
    for done, row in enumerate(rows, 1):
        if row.typing is not None:
            try:
                if row.donor in records:
                    raise SearchError("search.duplicate_donor", f"Donor {row.donor!r} stands twice.")
                if row.frequency_set not in sets:
                    raise SearchError(
                        "search.unknown_set",
                        f"The index has no frequency set {row.frequency_set!r}; it has {', '.join(set_names)}.",
                        frequency_set=row.frequency_set,
                    )
                codes.extend(coder.codes(row.typing))
                set_codes.append(sets[row.frequency_set])
                records[row.donor] = len(records)
            except HlaError as error:
                error.params["donor"] = row.donor
                if on_refused is None:
                    raise
                on_refused(row, error)
        if progress is not None:
            progress(done, total)
    donors = sorted(records)
    order = np.fromiter((records[donor] for donor in donors), np.intp, len(donors))
    table = np.array(codes, dtype=np.uint32).reshape(-1, len(COLUMNS))[order]
    return Segment(
        donors,
        np.frombuffer(bytes(set_codes), np.uint8)[order],
        {
            column: np.ascontiguousarray(table[:, i].astype(code_type(len(coder.dictionaries[column]))))
            for i, column in enumerate(COLUMNS)
        },
        {column: list(coder.dictionaries[column]) for column in COLUMNS},
        blank,
        coder.parsed,
    )


class _Coder:
    """Typings to codes. Registers repeat what stands between two ``^``, so what that codes to is kept."""

    def __init__(self, nomenclature: Nomenclature, blank: str) -> None:
        self.dictionaries: dict[str, dict[str, int]] = {column: {} for column in COLUMNS}
        self.parsed: dict[str, dict[int, LocusTyping]] = {locus: {} for locus in MATCH_LOCI}
        self._nomenclature, self._blank = nomenclature, blank
        self._known: dict[str, tuple[str, int]] = {}

    def codes(self, text: str) -> Sequence[int]:
        """Codes by `COLUMNS`; raises the error of a typing that cannot be used."""
        if "~" in text:
            return self._whole(text)
        found: dict[str, int] = {}
        for block in text.split("^"):
            locus, code = self._known.get(block) or self._block(block)
            if not locus or locus in found:
                return self._whole(text)  # whose error says where
            found[locus] = code
        return [found.get(column, 0) for column in COLUMNS]

    def _block(self, text: str) -> tuple[str, int]:
        """Locus and code; an empty locus where it cannot be used."""
        try:
            codes = self._whole(text)
        except HlaError:
            return "", 0
        locus = text.strip().removeprefix("HLA-").partition("*")[0]
        known = self._known[text] = (locus, codes[COLUMNS.index(locus)] if locus in MATCH_LOCI else 0)
        return known

    def _whole(self, text: str) -> tuple[int, ...]:
        typing = parse(text, blank=self._blank)
        self._nomenclature.check(typing, MATCH_LOCI)
        codes = _codes(typing, self.dictionaries)
        for locus, code in zip(MATCH_LOCI, codes, strict=False):
            if code:
                self.parsed[locus].setdefault(code, typing.loci[locus])
        return codes


def _codes(typing: Typing, dictionaries: dict[str, dict[str, int]]) -> tuple[int, ...]:
    texts = {locus: typing.loci[locus].text for locus in MATCH_LOCI if locus in typing.loci}
    if typing.phased:
        texts[PHASE] = "^".join(block.text for block in typing.phased)
    return tuple(
        dictionaries[column].setdefault(texts[column], len(dictionaries[column]) + 1) if column in texts else 0
        for column in COLUMNS
    )
