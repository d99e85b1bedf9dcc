"""Typings: GL Strings read into sets of allele names.

Grammar, weakest operator first (Milius et al. 2013, Tissue Antigens 82:106-112, doi 10.1111/tan.12150):
``^`` joins loci, ``|`` unites whole genotypes, ``+`` joins the two copies, ``~`` joins loci in phase, ``/``
lists possible alleles. Phase narrows imputation; compatibility depends on genotypes only
(docs/engine/meanings.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .errors import TypingError

#: The loci a donor programme matches on, in the order of every table and haplotype.
MATCH_LOCI = ("A", "C", "B", "DRB1", "DQB1")
#: Loci that may stand in a typing; those a frequency set does not hold are carried and not compared.
KNOWN_LOCI = (*MATCH_LOCI, "DRB3", "DRB4", "DRB5", "DQA1", "DPA1", "DPB1")
#: Loci a person may not carry: a blank there is an absent gene, not a second copy.
OPTIONAL_LOCI = frozenset({"DRB3", "DRB4", "DRB5"})

_FIELDS = re.compile(r"\d{2,4}(?::\d{2,4}){1,3}[NLSCAQ]?|\d{2,4}(?::\d{2,4}){1,2}[GPg]|\d{2,4}:XX|NEW")
_CODE = re.compile(r"\d{2,4}:[A-Z]{2,6}")
_NAME_CHARACTERS = re.compile(r"[A-Za-z0-9*:\-]")
_BLANKS = frozenset({"", "-"})

#: A side of a genotype: sorted allele names without ``HLA-``; None is "any allele of the locus".
Side = tuple[str, ...] | None


@dataclass(frozen=True)
class LocusTyping:
    """What is known of one locus.

    Attributes:
        locus: e.g. ``DRB1``.
        alternatives: genotypes, one of which holds; each a pair of sides.
        text: the locus as typed, without ``HLA-``.
        presumed_homozygous: a blank side was read as the other side's set.
    """

    locus: str
    alternatives: tuple[tuple[Side, Side], ...]
    text: str = field(compare=False)
    presumed_homozygous: bool = field(default=False, compare=False)

    def names(self) -> tuple[str, ...]:
        """Every allele name of the locus once, sorted."""
        return tuple(sorted({n for pair in self.alternatives for side in pair if side for n in side}))

    @property
    def has_new(self) -> bool:
        """Whether an allele not yet named (``NEW``) stands at the locus."""
        return any(name.endswith("*NEW") for name in self.names())


#: One copy of loci in phase: (locus, side) in the order of `KNOWN_LOCI`; None is "any".
Copy = tuple[tuple[str, Side], ...] | None


@dataclass(frozen=True)
class PhasedBlock:
    """Loci known in phase: `alternatives`, one of which holds, each a pair of copies; and the block's `text`."""

    alternatives: tuple[tuple[Copy, Copy], ...]
    text: str = field(compare=False)


@dataclass(frozen=True)
class Typing:
    """A subject's typing; a locus that is absent is untyped and allows every allele.

    Attributes:
        loci: locus name to `LocusTyping`, in the order of `KNOWN_LOCI`.
        text: the text that was parsed.
        positions: allele name to its first 0-based position in `text`.
        phased: what is known of phase, over and above the loci one by one.
    """

    loci: dict[str, LocusTyping]
    text: str
    positions: dict[str, int]
    phased: tuple[PhasedBlock, ...] = ()

    def gl_string(self) -> str:
        """The typing in canonical locus order, without ``HLA-``."""
        block_of = {locus: b for b in self.phased for copy in b.alternatives[0] for locus, _ in copy or ()}
        texts = (block_of[x].text if x in block_of else locus.text for x, locus in self.loci.items())
        return "^".join(dict.fromkeys(texts))

    def unknown(self, name: str, message: str, **params: Any) -> TypingError:
        """The error for an allele that could not be followed, at its place in the text."""
        return TypingError("typing.unknown_allele", message, position=self.positions.get(name), allele=name, **params)


def parse(text: str, *, blank: str = "homozygous") -> Typing:
    """Read a GL String.

    Args:
        text: e.g. ``A*01:01/A*01:02+A*02:01^B*08:01+B*07:02``; ``HLA-`` may stand before any name.
        blank: a second side that is absent, empty or ``-`` takes the first side's set (``homozygous``) or
            allows any allele (``unknown``). A blank DRB3, DRB4 or DRB5 is an absent gene either way.

    Returns:
        The typing, its loci in the order of `KNOWN_LOCI`.

    Raises:
        TypingError: with ``code`` and 0-based ``position``.
    """
    if blank not in ("homozygous", "unknown"):
        raise ValueError(f"blank must be 'homozygous' or 'unknown', not {blank!r}")
    return _Parser(text, blank).typing()


class _Parser:
    """Walks the text by operator, carrying positions so that an error can point."""

    def __init__(self, text: str, blank: str) -> None:
        self.text = text
        self.blank = blank
        self.positions: dict[str, int] = {}
        self.phased: list[PhasedBlock] = []

    def typing(self) -> Typing:
        start = len(self.text) - len(self.text.lstrip())
        body = self.text.strip()
        if not body:
            raise TypingError("typing.empty", "The typing is empty; give at least one locus.", position=0)
        loci: dict[str, LocusTyping] = {}
        for at, block in _split(body, "^", start):
            for locus, parsed in self._block(at, block):
                if locus in loci:
                    raise TypingError(
                        "typing.locus_repeated",
                        f"Locus {locus} stands twice; give each locus once.",
                        position=at,
                        locus=locus,
                    )
                loci[locus] = parsed
        ordered = {locus: loci[locus] for locus in KNOWN_LOCI if locus in loci}
        return Typing(ordered, self.text, self.positions, tuple(self.phased))

    def _block(self, at: int, block: str) -> list[tuple[str, LocusTyping]]:
        """The loci between two ``^``: one, or several where they stand in phase."""
        genotypes = [self._genotype(a, g) for a, g in _split(block, "|", at)]
        loci = list(dict.fromkeys(locus for genotype in genotypes for locus in genotype))
        for position, genotype in zip((a for a, _ in _split(block, "|", at)), genotypes, strict=True):
            if (set(genotypes[0]) ^ set(genotype)) - _may_differ(genotypes[0]):
                raise TypingError(
                    "typing.mixed_loci",
                    f"The genotypes joined by '|' must be of one locus, not {loci[0]} and {next(iter(genotype))}.",
                    position=position,
                    loci=sorted({*loci, *genotype}),
                )
        result = []
        for locus in loci:
            pairs: list[tuple[Side, Side]] = []
            texts: list[str] = []
            presumed = False
            for genotype in genotypes:
                if locus not in genotype:
                    continue
                first, second, was_blank = genotype[locus]
                presumed |= was_blank and self.blank == "homozygous" and locus not in OPTIONAL_LOCI
                pairs.append(self._pair(locus, first, second))
                texts.append("+".join("/".join(s) for s in (first, second) if s is not None))
            unique = tuple(dict.fromkeys(pairs))
            result.append((locus, LocusTyping(locus, unique, "|".join(dict.fromkeys(texts)), presumed)))
        if len(loci) > 1:
            self._keep_phase(genotypes)
        return result

    def _keep_phase(self, genotypes: list[dict[str, tuple[Side, Side, bool]]]) -> None:
        order = [locus for locus in KNOWN_LOCI if locus in genotypes[0] and locus not in OPTIONAL_LOCI]
        if len(order) < 2:
            return
        alternatives: list[tuple[Copy, Copy]] = []
        texts = []
        for genotype in genotypes:
            copies: list[Copy] = []
            written = []
            blank = genotype[order[0]][2]
            for sides in [[(x, genotype[x][0]) for x in order], [(x, genotype[x][1]) for x in order]][: 2 - blank]:
                copies.append(tuple(sides))
                written.append("~".join("/".join(side or ()) for _, side in sides))
            if blank:
                copies.append(copies[0] if self.blank == "homozygous" else None)
            alternatives.append((copies[0], copies[1]))
            texts.append("+".join(written))
        self.phased.append(PhasedBlock(tuple(dict.fromkeys(alternatives)), "|".join(dict.fromkeys(texts))))

    def _pair(self, locus: str, first: Side, second: Side) -> tuple[Side, Side]:
        # DRB3/4/5: one written copy says nothing of a second, and a missing gene must not count as a match.
        if second is None and self.blank == "homozygous" and locus not in OPTIONAL_LOCI:
            second = first
        # One order of the sides, so that a swapped typing is the same typing.
        return (first, second) if second is None or (first or ()) <= second else (second, first)

    def _genotype(self, at: int, text: str) -> dict[str, tuple[Side, Side, bool]]:
        """Locus to (side, side or None, a side was blank)."""
        copies = _split(text, "+", at, blank_ends=True)
        if len(copies) > 2:
            raise TypingError(
                "typing.too_many_alleles",
                "A locus has at most two copies; join possible alleles of one copy by '/'.",
                position=copies[2][0],
                count=len(copies),
            )
        written = [self._copy(a, c) for a, c in copies if c.strip() not in _BLANKS]
        if not written:
            raise TypingError("typing.empty_genotype", "At least one allele must be given.", position=at)
        if len(written) == 2 and (set(written[0]) ^ set(written[1])) - _may_differ(written[0]):
            raise TypingError(
                "typing.mixed_loci",
                f"The two copies joined by '+' must be of one locus, not {'~'.join(written[0])} and "
                f"{'~'.join(written[1])}.",
                position=copies[1][0],
                loci=sorted({*written[0], *written[1]}),
            )
        first = written[0]
        second = written[1] if len(written) == 2 else {}
        genotype: dict[str, tuple[Side, Side, bool]] = {}
        for locus in {**first, **second}:
            sides = [copy[locus] for copy in (first, second) if locus in copy]
            genotype[locus] = (sides[0], sides[1] if len(sides) == 2 else None, len(sides) == 1)
        return genotype

    def _copy(self, at: int, text: str) -> dict[str, Side]:
        """One copy: a locus, or loci in phase, each with its possible alleles."""
        sides: dict[str, Side] = {}
        for position, part in _split(text, "~", at):
            locus, side = self._alleles(position, part)
            if locus in sides:
                raise TypingError(
                    "typing.locus_repeated",
                    f"Locus {locus} stands twice in one haplotype.",
                    position=position,
                    locus=locus,
                )
            sides[locus] = side
        return sides

    def _alleles(self, at: int, text: str) -> tuple[str, Side]:
        names: list[str] = []
        first = ""
        for position, name in _split(text, "/", at):
            locus, full = self._name(position, name)
            if names and locus != first:
                raise TypingError(
                    "typing.mixed_loci",
                    f"The alleles joined by '/' must be of one locus, not {first} and {locus}.",
                    position=position,
                    loci=sorted({first, locus}),
                )
            first = locus
            names.append(full)
            self.positions.setdefault(full, position)
        return first, tuple(sorted(set(names)))

    def _name(self, at: int, name: str) -> tuple[str, str]:
        for i, character in enumerate(name):
            if not _NAME_CHARACTERS.fullmatch(character):
                raise TypingError(
                    "typing.bad_character",
                    f"{character!r} cannot stand in an allele name such as A*02:01.",
                    position=at + i,
                    character=character,
                )
        body = name.removeprefix("HLA-")
        at += len(name) - len(body)
        locus, star, fields = body.partition("*")
        if not star:
            raise TypingError(
                "typing.bad_name",
                f"{name!r} is not an allele name; write the locus, '*' and the fields, as in A*02:01.",
                position=at,
                name=name,
            )
        if locus not in KNOWN_LOCI:
            raise TypingError(
                "typing.unknown_locus",
                f"{locus!r} is not a locus; expected one of {', '.join(KNOWN_LOCI)}.",
                position=at,
                locus=locus,
            )
        if not _FIELDS.fullmatch(fields):
            raise self._bad_fields(at + len(locus) + 1, locus, fields)
        return locus, f"{locus}*{fields}"

    def _bad_fields(self, at: int, locus: str, fields: str) -> TypingError:
        if _CODE.fullmatch(fields):
            return TypingError(
                "typing.unknown_code",
                f"{locus}*{fields} is a multiple-allele code and no code list is imported; give its alleles "
                "joined by '/', or XX for the whole first field.",
                position=at,
                locus=locus,
                fields=fields,
            )
        hint = f"; for the whole group write {locus}*{fields}:XX" if re.fullmatch(r"\d{2,4}", fields) else ""
        return TypingError(
            "typing.bad_fields",
            f"'{locus}*{fields}' must have two to four fields of two to four digits, as in {locus}*02:01{hint}.",
            position=at,
            locus=locus,
            fields=fields,
        )


def _may_differ(copy: Collection[str]) -> frozenset[str]:
    """The loci that another copy or genotype need not have: DRB3, DRB4, DRB5 where they travel in phase."""
    return OPTIONAL_LOCI if len(copy) > 1 else frozenset()


def _split(text: str, operator: str, start: int, *, blank_ends: bool = False) -> list[tuple[int, str]]:
    """The parts between `operator` with their positions; an empty part is an error.

    With `blank_ends` a part at either end may be empty (a blank side), but not one between two operators.
    """
    parts: list[tuple[int, str]] = []
    at = start
    pieces = text.split(operator)
    for i, piece in enumerate(pieces):
        between = 0 < i < len(pieces) - 1
        if not piece.strip() and len(pieces) > 1 and (between or not blank_ends):
            raise TypingError(
                "typing.doubled_operator",
                f"Nothing stands {'before' if i == 0 else 'after'} the operator '{operator}'.",
                position=at if i == 0 or between else at - 1,
                operator=operator,
            )
        lead = len(piece) - len(piece.lstrip(" ")) if operator in "^|+" else 0
        trimmed = piece.strip(" ") if operator in "^|+" else piece
        parts.append((at + lead, trimmed))
        at += len(piece) + 1
    return parts
