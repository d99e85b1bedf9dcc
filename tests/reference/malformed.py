"""A seeded source of inputs that are wrong in a known way, made by spoiling valid ones.

Typings: `spoil_typing` gives the class, the text, and the first and last place where the fault may be told.
Files: `spoil_frequencies` and `spoil_subjects` give the class, the bytes, and the lines at fault.
"""

from __future__ import annotations

import gzip
import random
import re
from dataclasses import dataclass

from .worlds import ALLELES

LOCI = tuple(ALLELES)
NAME = re.compile(r"[A-Z0-9]+\*\d+:\d+(?::\d+)*[NLSCAQ]?")


# --- valid things to spoil ---


def some_string(rng: random.Random, locus: str) -> str:
    return "/".join(rng.choices(ALLELES[locus], k=rng.choice([1, 1, 2, 3])))


def valid_typing(rng: random.Random) -> str:
    blocks = []
    for locus in rng.sample(LOCI, k=rng.randint(2, 5)):
        genotypes = [f"{some_string(rng, locus)}+{some_string(rng, locus)}" for _ in range(rng.choice([1, 1, 1, 2]))]
        blocks.append("|".join(genotypes))
    return "^".join(blocks)


def valid_haplotypes(rng: random.Random, number: int) -> list[str]:
    seen = {}
    while len(seen) < number:
        seen["~".join(rng.choice(names) for names in ALLELES.values())] = None
    return list(seen)


# --- typings ---


@dataclass
class Spoilt:
    kind: str
    text: str
    first: int
    last: int


def _spans(text: str, separators: str) -> list[tuple[int, int]]:
    spans, start = [], 0
    for place, char in enumerate(text + separators[0]):
        if char in separators:
            spans.append((start, place))
            start = place + 1
    return spans


def _put(text: str, place: int, what: str, cut: int = 0) -> str:
    return text[:place] + what + text[place + cut :]


def _name(rng, text) -> tuple[int, int]:
    return rng.choice([found.span() for found in NAME.finditer(text)])


def _other_locus(rng, name: str) -> str:
    return rng.choice([x for x in LOCI if x != name.split("*")[0]])


def three_sides(rng, text):
    start, end = rng.choice(_spans(text, "^|"))
    extra = "+" + rng.choice(ALLELES[text[start:].split("*")[0]]) * rng.choice([0, 1, 1])
    return _put(text, end, extra), start, end + len(extra)


def doubled_slash(rng, text):
    start, end = _name(rng, text)
    return _put(text, end, "//" + text[start:end]), end, end + 2


def loose_slash(rng, text):
    start, end = rng.choice(_spans(text, "^|+"))
    place = rng.choice([start, end])
    return _put(text, place, "/"), max(0, place - 1), place + 1


def doubled_caret(rng, text):
    place = rng.choice([place for place, char in enumerate(text) if char == "^"])
    return _put(text, place, "^"), place, place + 2


def loose_caret(rng, text):
    place = rng.choice([0, len(text)])
    return _put(text, place, "^"), max(0, place - 1), place + 1


def doubled_bar(rng, text):
    start, end = rng.choice(_spans(text, "^"))
    return _put(text, end, "||" + text[start:end].split("|")[0]), end, end + 2


def loose_bar(rng, text):
    place = rng.choice(rng.choice(_spans(text, "^")))
    return _put(text, place, "|"), max(0, place - 1), place + 1


def both_sides_empty(rng, text):
    start, end = rng.choice(_spans(text, "^|"))
    what = rng.choice(["+", "+-", "-", "-+-", "-+"])
    return _put(text, start, what, end - start), max(0, start - 1), start + len(what)


def doubled_tilde(rng, text):
    _, end = _name(rng, text)
    return _put(text, end, rng.choice(["~~", "~"])), end, end + 2


def phase_of_one_locus(rng, text):
    start, end = _name(rng, text)
    extra = "~" + rng.choice(ALLELES[text[start:end].split("*")[0]])
    spans = [span for span in _spans(text, "^|") if span[0] <= start <= span[1]]
    return _put(text, end, extra), spans[0][0], spans[0][1] + len(extra)


def no_star(rng, text):
    start, end = _name(rng, text)
    return _put(text, text.index("*", start), rng.choice(["", "-", ":", " "]), 1), start, end


def no_locus(rng, text):
    start, end = _name(rng, text)
    cut = text.index("*", start) - start
    return _put(text, start, "", cut), start, end - cut


def wrong_locus(rng, text):
    start, end = _name(rng, text)
    head = rng.choice(["Q", "AA", "DRB12", "X1", "HLA", "DQ", "BC"])
    cut = text.index("*", start) - start
    return _put(text, start, head, cut), start, end + len(head)


def mixed_string(rng, text):
    start, end = _name(rng, text)
    extra = "/" + rng.choice(ALLELES[_other_locus(rng, text[start:end])])
    return _put(text, end, extra), start, end + len(extra)


def mixed_sides(rng, text):
    start, end = rng.choice(_spans(text, "^|"))
    place = text.index("+", start, end)
    other = rng.choice(ALLELES[_other_locus(rng, text[start:end])])
    return _put(text, place + 1, other, end - place - 1), start, place + 1 + len(other)


def locus_twice(rng, text):
    start, end = rng.choice(_spans(text, "^"))
    return f"{text}^{text[start:end]}", 0, len(text) + 1 + end - start


def five_fields(rng, text):
    start, end = _name(rng, text)
    name = text[start:end].rstrip("NLSCAQ")
    name += ":01" * (5 - len(name.split(":")))
    return _put(text, start, name, end - start), start, start + len(name)


def empty_field(rng, text):
    start, end = _name(rng, text)
    place = text.index(":", start)
    bad = rng.choice([text[start : place + 1], text[start:place] + "::01", text[start:place] + ":01:"])
    bad = rng.choice([bad, text[start : text.index("*", start) + 1] + ":01"])
    return _put(text, start, bad, end - start), start, start + len(bad)


def letter_in_field(rng, text):
    start, end = _name(rng, text)
    place = rng.choice([i for i in range(text.index("*", start), end) if text[i].isdigit()])
    return _put(text, place, rng.choice("oOlxX?"), 1), start, end


def wrong_suffix(rng, text):
    start, end = _name(rng, text)
    return _put(text, end, rng.choice(["Z", "NN", "Nn", "n1", "P1", "!", "?"])), start, end + 2


def doubled_star(rng, text):
    start, end = _name(rng, text)
    return _put(text, text.index("*", start), "*"), start, end + 1


def space_inside(rng, text):
    start, end = _name(rng, text)
    place = rng.randrange(text.index("*", start) + 1, end)
    return _put(text, place, rng.choice([" ", "  ", "\t", "\u3000", "\u00a0"])), start, end + 2


def stray_text(rng, text):
    _, end = _name(rng, text)
    extra = rng.choice([" foo", " (confirmed)", " A*01:01", "%", "#1", "。", " 见附件", "\\", "'", '"', "<b>", "{}"])
    return _put(text, end, extra), max(0, end - 12), end + len(extra)


def other_separator(rng, text):
    place = rng.choice([i for i, char in enumerate(text) if char in "^+/|"])
    text = _put(text, place, rng.choice([",", ";", "&", "=", "@", "_", ".", "\\"]), 1)
    start, end = next(span for span in _spans(text, "^|") if span[0] <= place <= span[1])
    return text, start, end


def control_character(rng, text):
    place = rng.randrange(1, len(text))
    bad = rng.choice(["\x00", "\x01", "\x07", "\x08", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\ufffe"])
    start = max(start for start, _ in _spans(text, "^|+/") if start <= place)
    end = next(end for _, end in _spans(text, "^|+/") if end >= place)
    return _put(text, place, bad), start, end + 1


def look_alike(rng, text):
    start, end = _name(rng, text)
    swaps = {
        "A": "А",
        "B": "В",
        "C": "С",
        "1": "１",
        "0": "٠",
        "2": "²",
        "*": "＊",
        ":": "：",
        "4": "४",
        "9": "９",
    }
    places = [i for i in range(start, end) if text[i] in swaps]
    place = rng.choice(places)
    return _put(text, place, swaps[text[place]], 1), start, end


def dash_in_string(rng, text):
    start, end = _name(rng, text)
    return _put(text, end, rng.choice(["/-", "-", "/-/"])), start, end + 3


def empty_text(rng, text):
    bad = rng.choice(["", " ", "\t", "-", "^", "+", "|", "/", "~", "^^", "*", ":", "%", "+|+", "\u3000"])
    return bad, 0, len(bad)


def huge_name(rng, text):
    start, end = _name(rng, text)
    bad = text[start:end] + rng.choice(["N", ":01", "/", "x"]) * rng.choice([300, 20_000])
    return _put(text, start, bad, end - start), start, start + len(bad)


TYPING_CLASSES = (
    three_sides,
    doubled_slash,
    loose_slash,
    doubled_caret,
    loose_caret,
    doubled_bar,
    loose_bar,
    both_sides_empty,
    doubled_tilde,
    phase_of_one_locus,
    no_star,
    no_locus,
    wrong_locus,
    mixed_string,
    mixed_sides,
    locus_twice,
    five_fields,
    empty_field,
    letter_in_field,
    wrong_suffix,
    doubled_star,
    space_inside,
    stray_text,
    other_separator,
    control_character,
    look_alike,
    dash_in_string,
    empty_text,
    huge_name,
)


def spoil_typing(rng: random.Random, kind=None) -> Spoilt:
    kind = kind or rng.choice(TYPING_CLASSES)
    text, first, last = kind(rng, valid_typing(rng))
    return Spoilt(kind.__name__, text, first, min(last, len(text)))


# --- files ---


@dataclass
class SpoiltFile:
    kind: str
    name: str
    content: bytes
    lines: tuple[int, int] | None  # first and last line the fault may be said to be on; None: the whole file
    arguments: tuple[str, ...] = ()


def _joined(lines: list[str]) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


class FrequencyFile:
    """A valid file as lines of three columns, so that one column of one line can be spoilt."""

    def __init__(self, rng: random.Random):
        self.header = rng.random() < 0.5
        self.rows = [[name, "CHN", f"{rng.randint(1, 10**7)}e-9"] for name in valid_haplotypes(rng, rng.randint(3, 9))]
        self.at = rng.randrange(len(self.rows))
        self.line = self.at + 1 + self.header

    def lines(self) -> list[str]:
        if self.header:
            return ["population,haplotype,frequency"] + [f"{p},{h},{f}" for h, p, f in self.rows]
        return [",".join(row) for row in self.rows]

    def spoil(self, column: int, text: str) -> tuple[bytes, tuple[int, int]]:
        self.rows[self.at][column] = text
        return _joined(self.lines()), (self.line, self.line)

    def with_line(self, change) -> tuple[bytes, tuple[int, int]]:
        lines = self.lines()
        lines[self.line - 1] = change(lines[self.line - 1])
        return _joined(lines), (self.line, self.line)

    @property
    def haplotype(self) -> list[str]:
        return self.rows[self.at][0].split("~")


def frequency_negative(rng, file):
    return file.spoil(2, rng.choice(["-0.01", "-1e-9", "-5", "-0.5"]))


def frequency_zero(rng, file):
    return file.spoil(2, rng.choice(["0", "0.0", "0e0", "-0.0", "1e-9999", "0.000"]))


def frequency_not_finite(rng, file):
    return file.spoil(2, rng.choice(["nan", "NaN", "inf", "-inf", "Infinity", "1e999", "+inf", "-NAN"]))


def frequency_no_number(rng, file):
    return file.spoil(
        2,
        rng.choice(
            [
                "",
                " ",
                "x",
                "1/8",
                "0,1",
                "1e",
                "0x1p-4",
                "1e-3e",
                "1.2.3",
                "--1",
                "50%",
                "½",
                "1_0e-4",
                "null",
            ]
        ),
    )


def frequency_above_one(rng, file):
    return file.spoil(2, rng.choice(["1.5", "2", "1e3", "1.001", "100"]))


def sum_above_one(rng, file):
    for row in file.rows:
        row[2] = repr(round(1 / (len(file.rows) - 0.5), 6))
    return _joined(file.lines()), (1, len(file.lines()))


def haplotype_twice(rng, file):
    again = list(rng.choice(file.rows))
    again[2] = "1e-9"
    file.rows.append(again)
    return _joined(file.lines()), (len(file.lines()),) * 2


def haplotype_twice_in_disguise(rng, file):
    name = rng.choice(file.rows)[0]
    file.rows.append(["~".join("HLA-" + allele for allele in name.split("~")), "CHN", "1e-9"])
    return _joined(file.lines()), (len(file.lines()),) * 2


def haplotype_locus_missing(rng, file):
    file.at = rng.randrange(1, len(file.rows))
    file.line = file.at + 1 + file.header
    names = file.haplotype
    names.pop(rng.randrange(5))
    return file.spoil(0, "~".join(names))


def haplotype_locus_twice(rng, file):
    names = file.haplotype
    names.insert(rng.randrange(5), rng.choice(names))
    return file.spoil(0, "~".join(names))


def haplotype_locus_unknown(rng, file):
    names = file.haplotype
    names[rng.randrange(5)] = rng.choice(["Q*01:01", "DPX*01:01", "HLA*01:01", "1*01:01"])
    return file.spoil(0, "~".join(names))


def haplotype_allele_malformed(rng, file):
    names = file.haplotype
    at = rng.randrange(5)
    locus = names[at].split("*")[0]
    names[at] = rng.choice(
        ["", locus, locus + "*", locus + "*01:", locus + "*0x:01", locus + "*01:01:01:01:01", "?", " "]
    )
    return file.spoil(0, "~".join(names))


def haplotype_ambiguous(rng, file):
    names = file.haplotype
    at = rng.randrange(5)
    names[at] += "/" + names[at]
    return file.spoil(0, "~".join(names))


def haplotype_empty(rng, file):
    return file.spoil(0, rng.choice(["", " ", "~~~~", "~"]))


def row_short(rng, file):
    return file.with_line(lambda line: line.rsplit(",", rng.choice([1, 2]))[0])


def row_long(rng, file):
    return file.with_line(lambda line: line + rng.choice([",1,2,3,4", ",0.1,0.2", ",a,b,c"]))


def row_other_separator(rng, file):
    return file.with_line(lambda line: line.replace(",", rng.choice([";", "\t", "|"])))


def row_control_character(rng, file):
    bad = rng.choice(["\x00", "\x01", "\x1b", "\x07"])
    return file.with_line(lambda line: _put(line, rng.randrange(1, len(line) - 1), bad))


def row_not_utf8(rng, file):
    content, lines = file.with_line(lambda line: _put(line, line.index("*"), "@@@"))
    return content.replace(b"@@@", rng.choice([b"\xff", b"\xc3\x28", b"\xb0\xa1", b"\xed\xa0\x80"])), lines


def row_huge(rng, file):
    return file.with_line(lambda line: line.replace("*", "*" + rng.choice(["x", "~", "A*01:01~"]) * 30_000, 1))


def two_populations(rng, file):
    file.rows[-1][1] = "XYZ"
    return _joined(file.lines()), (1, len(file.lines()))


def population_empty(rng, file):
    content, _ = file.spoil(1, rng.choice(["", " "]))
    return content, (1, len(file.lines()))


def header_incomplete(rng, file):
    file.header = True
    lines = file.lines()
    lines[0] = rng.choice(
        ["population,haplotype", "haplotype,frequency", "population,frequency", "population,haplotype,freq"]
    )
    return _joined(lines), (1, 2)


def header_doubled(rng, file):
    file.header = True
    lines = file.lines()
    place = rng.randrange(1, len(lines) + 1)
    lines.insert(place, lines[0])
    return _joined(lines), (place + 1, place + 1)


def header_only(rng, file):
    return b"population,haplotype,frequency\n", None


def nothing(rng, file):
    return rng.choice([b"", b"\n", b"\n\n\n", b" \n", b"\xef\xbb\xbf"]), None


def utf_16(rng, file):
    return _joined(file.lines()).decode().encode(rng.choice(["utf-16", "utf-16-be", "utf-16-le", "utf-32"])), None


def binary(rng, file):
    return rng.choice([b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\x7fELF", b"SQLite format 3\x00"]) + rng.randbytes(
        200
    ), None


FREQUENCY_CLASSES = (
    frequency_negative,
    frequency_zero,
    frequency_not_finite,
    frequency_no_number,
    frequency_above_one,
    sum_above_one,
    haplotype_twice,
    haplotype_twice_in_disguise,
    haplotype_locus_missing,
    haplotype_locus_twice,
    haplotype_locus_unknown,
    haplotype_allele_malformed,
    haplotype_ambiguous,
    haplotype_empty,
    row_short,
    row_long,
    row_other_separator,
    row_control_character,
    row_not_utf8,
    row_huge,
    two_populations,
    population_empty,
    header_incomplete,
    header_doubled,
    header_only,
    nothing,
    utf_16,
    binary,
)


class SubjectFile:
    def __init__(self, rng: random.Random):
        self.header = rng.random() < 0.5
        self.rows = [[f"S{n}", valid_typing(rng)] for n in rng.sample(range(1, 99), rng.randint(2, 6))]
        self.at = rng.randrange(len(self.rows))
        self.line = self.at + 1 + self.header

    @property
    def separator(self) -> str:
        return "," if self.header else "%"

    def lines(self) -> list[str]:
        return ["id,gl"] * self.header + [self.separator.join(row) for row in self.rows]

    def spoil(self, column: int, text: str):
        self.rows[self.at][column] = text
        return _joined(self.lines()), (self.line, self.line)

    with_line = FrequencyFile.with_line


def subject_twice(rng, file):
    file.rows.append([rng.choice(file.rows)[0], valid_typing(rng)])
    return _joined(file.lines()), (len(file.lines()),) * 2


def subject_without_id(rng, file):
    return file.spoil(0, rng.choice(["", " ", "\t"]))


def subject_without_separator(rng, file):
    return file.with_line(lambda line: line.replace(file.separator, rng.choice(["", " ", ";", "\t", ":"])))


def subject_without_typing(rng, file):
    return file.spoil(1, rng.choice(["", " "]))


def subject_control_character(rng, file):
    return file.spoil(0, file.rows[file.at][0] + rng.choice(["\x00", "\x01", "\x1b[2J", "\x08"]))


def subject_not_utf8(rng, file):
    content, lines = file.with_line(lambda line: _put(line, 1, "@@@"))
    return content.replace(b"@@@", rng.choice([b"\xff", b"\xc3\x28", b"\xb0\xa1"])), lines


def subject_huge(rng, file):
    return file.spoil(1, file.rows[file.at][1] + rng.choice(["/A*01:01x", "^", "+", "x", "\u4e2d"]) * 30_000)


def subject_header_wrong(rng, file):
    file.header = True
    lines = file.lines()
    lines[0] = rng.choice(["id", "gl", "id,typing", "name,gl", "id,hla"])
    return _joined(lines), (1, 1)


def subject_row_short(rng, file):
    file.header = True
    file.line = file.at + 2
    return file.with_line(lambda line: line.split(",")[0])


def subject_row_long(rng, file):
    file.header = True
    file.line = file.at + 2
    return file.with_line(lambda line: line + ",x,y")


def subject_quote_open(rng, file):
    file.header = True
    file.line = file.at + 2
    content, (line, _) = file.with_line(lambda line: line.replace(",", ',"', 1))
    return content, (line, len(file.rows) + 1)


def subject_typing_spoilt(rng, file):
    while True:
        spoilt = spoil_typing(rng)
        if not re.search(r"[\r\n\x00\x85,\"%\u2028]", spoilt.text) and spoilt.text.strip():
            break
    return file.spoil(1, spoilt.text)


def subject_bar_binary(rng, file):
    return binary(rng, file)


SUBJECT_CLASSES = (
    subject_twice,
    subject_without_id,
    subject_without_separator,
    subject_without_typing,
    subject_control_character,
    subject_not_utf8,
    subject_huge,
    subject_header_wrong,
    subject_row_short,
    subject_row_long,
    subject_quote_open,
    subject_typing_spoilt,
    subject_bar_binary,
    utf_16,
)


def damaged_gzip(rng: random.Random, content: bytes) -> tuple[str, bytes]:
    """A gzip file that is cut, bent, or none at all."""
    packed = gzip.compress(content, mtime=0)
    kind = rng.choice(["cut", "bent", "not gzip", "checksum", "empty"])
    if kind == "cut":
        packed = packed[: rng.randrange(1, len(packed) - 1)]
    elif kind == "bent":
        place = rng.randrange(12, len(packed) - 8)
        packed = _flipped(packed, place, 1 << rng.randrange(8))
    elif kind == "not gzip":
        packed = content
    elif kind == "checksum":
        packed = _flipped(packed, len(packed) - rng.randint(1, 8), 1 << rng.randrange(8))
    else:
        packed = b""
    return kind, packed


def _flipped(content: bytes, place: int, bits: int) -> bytes:
    return content[:place] + bytes([content[place] ^ bits]) + content[place + 1 :]


def spoil_frequencies(rng: random.Random, kind=None) -> SpoiltFile:
    kind = kind or rng.choice(FREQUENCY_CLASSES)
    content, lines = kind(rng, FrequencyFile(rng))
    return SpoiltFile(kind.__name__, "frequencies.csv", content, lines)


def spoil_subjects(rng: random.Random, kind=None) -> SpoiltFile:
    kind = kind or rng.choice(SUBJECT_CLASSES)
    file = SubjectFile(rng)
    content, lines = kind(rng, file)
    return SpoiltFile(kind.__name__, "subjects.csv" if file.header else "subjects.txt", content, lines)
