"""Nomenclature: what an allele name stands for, and which P group it belongs to.

Names are never cut: a longer name reaches its two-field allele because a table says so (A*01:01:01:02N is a
null allele of its own, not A*01:01). The table is a small CSV, ``allele,p_group,longer``: the two-field name
with its expression letter, its P group (empty for a null allele), and the longer names that reduce to it,
parted by spaces.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from dataclasses import dataclass

from .errors import NomenclatureError
from .subjects import read_text
from .typings import Typing

#: P code of a null allele; a P group has a code of 1 or more.
NULL = 0


@dataclass(frozen=True)
class Allele:
    """A two-field allele: its name, and its P group's name or None where it is null."""

    name: str
    p_group: str | None


class Nomenclature:
    """A set of alleles, the names that reduce to them, and integer P group codes per locus."""

    def __init__(self, name: str, version: str, alleles: dict[str, Allele], longer: dict[str, str]) -> None:
        self.name = name
        self.version = version
        self.alleles = alleles
        self._longer = longer
        self._expand: dict[str, tuple[str, ...]] = {}
        self._families: dict[str, list[str]] = {}
        self._p_members: dict[str, list[str]] = {}
        self._prefixes: dict[str, set[str]] = {}
        for allele in alleles.values():
            self._families.setdefault(allele.name.split(":")[0], []).append(allele.name)
            if allele.p_group is not None:
                self._p_members.setdefault(allele.p_group, []).append(allele.name)
        for name_, two_field in longer.items():
            fields = name_.split(":")
            # A three-field name stands for every four-field allele under it, null ones with their own letter.
            if len(fields) == 4:
                self._prefixes.setdefault(":".join(fields[:3]), set()).add(two_field)
        self._p_codes: dict[str, int] = {}
        self._p_names: dict[str, list[str]] = {}
        for group in sorted(self._p_members):
            names = self._p_names.setdefault(group.split("*")[0], ["null"])
            self._p_codes[group] = len(names)
            names.append(group)

    @property
    def label(self) -> str:
        """Name and version, as an error or a screen shows them."""
        return f"{self.name} {self.version}"

    def text(self) -> str:
        """The table as CSV, from which `read` makes the same nomenclature."""
        back: dict[str, list[str]] = {}
        for name, two_field in self._longer.items():
            back.setdefault(two_field, []).append(name)
        rows = [f"# {self.name},{self.version}", "allele,p_group,longer"]
        rows += [
            f"{a.name},{a.p_group or ''},{' '.join(sorted(back.get(a.name, ())))}"
            for a in sorted(self.alleles.values(), key=lambda a: a.name)
        ]
        return "\n".join(rows) + "\n"

    @property
    def checksum(self) -> str:
        """SHA-256 of `text`, hexadecimal."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def expand(self, name: str) -> tuple[str, ...]:
        """The two-field alleles a name may stand for, sorted; empty where the nomenclature lacks it.

        Two fields: itself. Three or four: through the table. ``P``: the group's members. ``g``: the members
        of the P group of its first allele. ``XX``: every allele of the first field, nulls among them.
        """
        known = self._expand.get(name)
        if known is None:
            known = self._expand[name] = tuple(sorted(self._stand_for(name)))
        return known

    def _stand_for(self, name: str) -> set[str]:
        if name in self.alleles:
            return {name}
        if name in self._longer:
            return {self._longer[name]}
        if name.endswith(":XX"):
            return set(self._families.get(name[:-3], ()))
        if name.endswith("P"):
            return set(self._p_members.get(name, ()))
        if name.endswith("g") and (base := self.alleles.get(name[:-1])) is not None:
            return set(self._p_members[base.p_group]) if base.p_group else {base.name}
        return self._prefixes.get(name, set())

    def p_code(self, allele: str) -> int:
        """Integer code of a two-field allele's P group within its locus; `NULL` for a null allele.

        Raises:
            KeyError: the allele is not in the nomenclature.
        """
        group = self.alleles[allele].p_group
        return NULL if group is None else self._p_codes[group]

    def p_codes(self, name: str) -> set[int]:
        """The P codes that any name `expand` knows may stand for."""
        return {self.p_code(allele) for allele in self.expand(name)}

    def p_size(self, locus: str) -> int:
        """Number of P codes of a locus, `NULL` counted."""
        return len(self._p_names.get(locus, ("null",)))

    def p_name(self, locus: str, code: int) -> str:
        """Name of a P code; ``null`` for `NULL`."""
        return self._p_names[locus][code]

    def check(self, typing: Typing, loci: tuple[str, ...] | None = None) -> None:
        """Raise for the first allele of a typing that this nomenclature lacks; ``NEW`` is let pass.

        Args:
            typing: what to check.
            loci: the loci that matter, or None for all.

        Raises:
            TypingError: ``typing.unknown_allele`` with position; the sentence says what to do.
        """
        for locus in typing.loci.values():
            for name in locus.names() if loci is None or locus.locus in loci else ():
                if not name.endswith("*NEW") and not self.expand(name):
                    raise typing.unknown(name, self.advice(name), nomenclature=self.label)

    def advice(self, name: str) -> str:
        """The sentence for an allele this nomenclature lacks."""
        return (
            f"{name} is not in the nomenclature {self.label}; check the name, give its two-field name, "
            "or import a release that holds it (dev hla import-release)."
        )


def read(path: str | os.PathLike[str]) -> Nomenclature:
    """Read a nomenclature table; its first line is ``# name,version``.

    Raises:
        NomenclatureError: with file and line, where the table is not one.
    """
    return from_text(read_text(path), os.fspath(path))


def from_text(text: str, file: str = "nomenclature") -> Nomenclature:
    """As `read`, from text."""
    lines = text.split("\n")
    name, comma, version = lines[0].removeprefix("# ").strip().partition(",")
    if not lines[0].startswith("# ") or not comma:
        raise NomenclatureError("nomenclature.no_name", "The first line must be '# name,version'.", file=file, line=1)
    alleles: dict[str, Allele] = {}
    longer: dict[str, str] = {}
    for number, row in enumerate(csv.reader(io.StringIO("\n".join(lines[1:]))), 2):
        if number == 2 or not row:
            if number == 2 and row != ["allele", "p_group", "longer"]:
                raise NomenclatureError("nomenclature.bad_header", "Expected allele,p_group,longer.", file=file, line=2)
            continue
        if len(row) != 3 or row[0] in alleles or "*" not in row[0]:
            raise NomenclatureError(
                "nomenclature.bad_row",
                "Expected a new allele, its P group and longer names.",
                file=file,
                line=number,
            )
        alleles[row[0]] = Allele(row[0], row[1] or None)
        for name_ in row[2].split():
            if longer.setdefault(name_, row[0]) != row[0]:
                raise NomenclatureError(
                    "nomenclature.two_meanings",
                    f"{name_} already reduces to {longer[name_]}.",
                    file=file,
                    line=number,
                )
    return Nomenclature(name, version, alleles, longer)
