"""Haplotype frequency sets: reading, checking, and the names an allele has in a set."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .errors import FrequencyError
from .subjects import read_text
from .typings import KNOWN_LOCI

_ALLELE = re.compile(r"(?:HLA-)?([A-Z0-9]+)\*(\d{2,4}(?::\d{2,4}){1,3}[NLSCAQ]?)(g?)")
_HEADERLESS = {
    3: ({"haplotype": 0, "population": 1, "frequency": 2}, {"population": 0, "haplotype": 1, "frequency": 2}),
    4: ({"population": 0, "haplotype": 1, "frequency": 2},),
}
#: However coarse the printed figures, a sum further above 1 than this is an error and not rounding.
_MOST_ROUNDING = 0.005


@dataclass(frozen=True)
class FrequencySet:
    """Haplotype frequencies of one population.

    Attributes:
        name: the population.
        loci: the loci of every haplotype, in the order of `typings.KNOWN_LOCI`.
        alleles: per locus, the allele names as written (without ``HLA-``), sorted; a code is an index into
            it.
        codes: ``uint16 (haplotypes, loci)``.
        frequencies: ``float64 (haplotypes,)``, fractions of 1, all positive; their sum may be under 1.
    """

    name: str
    loci: tuple[str, ...]
    alleles: tuple[tuple[str, ...], ...]
    codes: NDArray[np.uint16]
    frequencies: NDArray[np.float64]
    _lookup: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for column, names in enumerate(self.alleles):
            for code, name in enumerate(names):
                self._lookup[name.removesuffix("g")] = (column, code)

    def code(self, allele: str) -> int | None:
        """The code of an allele name (with or without ``g``) within its locus, or None where it is not
        held."""
        found = self._lookup.get(allele.removesuffix("g"))
        return None if found is None else found[1]

    @cached_property
    def haplotypes(self) -> tuple[str, ...]:
        """Every haplotype in the set's own names without ``HLA-``, ``A*01:01~C*07:01~…``, in the order of `codes`."""
        return self._texts(self.alleles)

    def _texts(self, alleles: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        columns = [np.array(names, dtype=object)[self.codes[:, i]] for i, names in enumerate(alleles)]
        return tuple("~".join(row) for row in zip(*columns, strict=True))

    def text(self) -> str:
        """The set as CSV with header, from which `read` makes the same set."""
        rows = [
            f"{_quoted(self.name)},{h},{f!r}"
            for h, f in zip(self._texts(self.alleles), self.frequencies.tolist(), strict=True)
        ]
        return "population,haplotype,frequency\n" + "\n".join(rows) + "\n"

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of `text`, hexadecimal."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def read(path: str | os.PathLike[str], *, population: str | None = None) -> FrequencySet:
    """Read a frequency file (`.gz` too).

    With a header the columns ``population,haplotype,frequency[,rank]`` stand in any order; without one they
    are ``haplotype,population,frequency`` or ``population,haplotype,frequency[,rank]``, told apart by their
    content.

    Args:
        path: the file.
        population: which population to take; needed where the file holds several.

    Raises:
        FrequencyError: with file and line: bad cells, haplotypes of differing loci, a haplotype twice, a
            value that is not above zero, a sum above 1 beyond the rounding of the printed figures.
    """
    return from_text(read_text(path), os.fspath(path), population=population)


def from_text(text: str, file: str, *, population: str | None = None) -> FrequencySet:
    """As `read`, from text that came from `file`."""
    rows = _rows(text, file)
    names = list(dict.fromkeys(row.population for row in rows))
    if population is None and len(names) > 1:
        raise FrequencyError(
            "frequencies.population_needed",
            f"The file holds the populations {', '.join(names)}; say which (--population).",
            file=file,
            line=next(row.line for row in rows if row.population == names[1]),
            populations=names,
        )
    chosen = names[0] if population is None else population
    mine = [row for row in rows if row.population == chosen]
    if not mine:
        raise FrequencyError(
            "frequencies.unknown_population",
            f"The file has no population {chosen!r}; it holds {', '.join(names)}.",
            file=file,
            populations=names,
        )
    _check_values(mine, file)
    return _assemble(chosen or os.path.basename(file).split(".")[0], mine)


@dataclass(frozen=True)
class _Row:
    line: int
    population: str
    alleles: dict[str, str]
    frequency: float
    half_unit: float


def _rows(text: str, file: str) -> list[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: dict[str, int] | None = None
    width = 0
    rows: list[_Row] = []
    loci: tuple[str, ...] = ()
    try:
        for cells in reader:
            line = reader.line_num
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if columns is None:
                columns, is_header = _columns(cells, file, line)
                width = len(cells)
                if is_header:
                    continue
            if len(cells) != width:
                raise FrequencyError(
                    "frequencies.cells",
                    f"The line has {len(cells)} cells, the first {width}.",
                    file=file,
                    line=line,
                )
            alleles = _haplotype(cells[columns["haplotype"]], file, line)
            if not rows:
                loci = tuple(alleles)
            elif tuple(alleles) != loci:
                raise FrequencyError(
                    "frequencies.loci_differ",
                    f"The haplotype has the loci {'~'.join(alleles)}, the first {'~'.join(loci)}.",
                    file=file,
                    line=line,
                )
            value, half_unit = _number(cells[columns["frequency"]], file, line)
            rows.append(_Row(line, cells[columns["population"]], alleles, value, half_unit))
    except csv.Error as error:
        raise FrequencyError(
            "file.bad_csv", f"The line is not CSV: {error}.", file=file, line=max(reader.line_num, 1)
        ) from None
    if not rows:
        raise FrequencyError("frequencies.empty", "The file holds no haplotype.", file=file, line=1)
    return rows


def _columns(cells: list[str], file: str, line: int) -> tuple[dict[str, int], bool]:
    """Where the columns stand, and whether this line is the header."""
    lowered = [cell.lower() for cell in cells]
    if "*" not in "".join(cells):
        for wanted in ("population", "haplotype", "frequency"):
            if lowered.count(wanted) != 1:
                raise FrequencyError(
                    "frequencies.missing_column" if wanted not in lowered else "frequencies.duplicate_column",
                    f"The header must hold the column '{wanted}' once: population,haplotype,frequency[,rank].",
                    file=file,
                    line=line,
                    column=wanted,
                )
        return {wanted: lowered.index(wanted) for wanted in ("population", "haplotype", "frequency")}, True
    for layout in _HEADERLESS.get(len(cells), ()):
        if "*" in cells[layout["haplotype"]]:
            return layout, False
    raise FrequencyError(
        "frequencies.bad_columns",
        "Expected haplotype,population,frequency, or a header population,haplotype,frequency[,rank].",
        file=file,
        line=line,
    )


def _haplotype(text: str, file: str, line: int) -> dict[str, str]:
    alleles: dict[str, str] = {}
    for part in text.split("~"):
        match = _ALLELE.fullmatch(part)
        if match is None or match[1] not in KNOWN_LOCI:
            raise FrequencyError(
                "frequencies.bad_allele",
                f"{part!r} is not an allele such as A*02:01.",
                file=file,
                line=line,
                allele=part,
            )
        if match[1] in alleles:
            raise FrequencyError(
                "frequencies.locus_repeated",
                f"Locus {match[1]} stands twice in the haplotype.",
                file=file,
                line=line,
                locus=match[1],
            )
        alleles[match[1]] = f"{match[1]}*{match[2]}{match[3]}"
    return {locus: alleles[locus] for locus in KNOWN_LOCI if locus in alleles}


def _number(text: str, file: str, line: int) -> tuple[float, float]:
    """The value, and half a unit of its last printed digit."""
    match = re.fullmatch(r"[+-]?(\d+\.?(\d*)|\.(\d+))(?:[eE]([+-]?\d{1,3}))?", text, re.ASCII)
    if match is None:
        raise FrequencyError(
            "frequencies.bad_number",
            f"{text!r} is not a number such as 0.0123.",
            file=file,
            line=line,
            value=text,
        )
    value = float(text)
    if not value > 0 or value > 1:
        raise FrequencyError(
            "frequencies.not_positive" if not value > 0 else "frequencies.above_one",
            f"The frequency {text} must be above 0 and at most 1.",
            file=file,
            line=line,
            value=text,
        )
    decimals = len(match[2] or match[3] or "") - int(match[4] or 0)
    return value, 0.5 * 10.0**-decimals


def _check_values(rows: list[_Row], file: str) -> None:
    seen: dict[tuple[str, ...], int] = {}
    total, rounding = 0.0, 0.0
    for row in rows:
        key = tuple(allele.removesuffix("g") for allele in row.alleles.values())
        if key in seen:
            raise FrequencyError(
                "frequencies.duplicate_haplotype",
                f"The haplotype already stands on line {seen[key]}.",
                file=file,
                line=row.line,
                first_line=seen[key],
            )
        seen[key] = row.line
        rounding += row.half_unit
    allowed = 1 + max(min(rounding, _MOST_ROUNDING), 1e-9)
    exact = math.fsum(row.frequency for row in rows)
    if exact > allowed:
        for row in rows:
            total += row.frequency
            if total > allowed:
                break
        raise FrequencyError(
            "frequencies.sum_above_one",
            f"The frequencies sum to {exact:.6g}, above 1; here the sum passes it.",
            file=file,
            line=row.line,
            sum=exact,
        )


def _assemble(name: str, rows: list[_Row]) -> FrequencySet:
    loci = tuple(rows[0].alleles)
    alleles, columns = [], []
    for locus in loci:
        written: dict[str, str] = {}
        for row in rows:
            allele = row.alleles[locus]
            key = allele.removesuffix("g")
            written[key] = max(written.get(key, key), allele, key=len)
        keys = sorted(written)
        index = {key: i for i, key in enumerate(keys)}
        alleles.append(tuple(written[key] for key in keys))
        columns.append([index[row.alleles[locus].removesuffix("g")] for row in rows])
    codes = np.array(columns, dtype=np.uint16).T.copy()
    return FrequencySet(name, loci, tuple(alleles), codes, np.array([row.frequency for row in rows]))


def _quoted(cell: str) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([cell])
    return out.getvalue()
