"""Ten thousand wrong inputs of known kinds, ten thousand at random: always a clear refusal, never a crash.

The counts below add up to 10,000 spoilt samples: 6,600 typings, 2,300 frequency files read directly,
and 1,100 files through the command line.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter

import pytest

from . import malformed, worlds
from .blackbox import run, write

CODE = re.compile(r"[a-z]+(\.[a-z0-9_]+)+")
SEED = 20261121
INPUTS = ("frequencies.", "subjects.", "patients.", "donors.")


def check_sentence(sentence: str):
    """One line that can be shown in a terminal and read by a person."""
    assert sentence
    assert sentence.isprintable(), ascii(sentence[:300])
    assert len(sentence) <= 600, f"{len(sentence)} characters: {sentence[:200]}"
    assert "Traceback" not in sentence
    assert not re.search(r"\b(object at 0x|Errno|codec can't|NoneType|list index|invalid literal)", sentence)


def refusal(call, *arguments):
    """The HlaError that a call raises, or None. Any other exception passes through: the test fails."""
    from hlaengine.errors import HlaError

    try:
        call(*arguments)
    except HlaError as error:
        return error
    return None


def parse(text: str):
    from hlaengine import typings

    return typings.parse(text)


@pytest.mark.parametrize("kind", malformed.TYPING_CLASSES, ids=lambda kind: kind.__name__)
def test_spoilt_typings(kind):
    rng = random.Random(f"{SEED} {kind.__name__}")
    for _ in range(228 if kind is not malformed.huge_name else 216):
        spoilt = malformed.spoil_typing(rng, kind)
        error = refusal(parse, spoilt.text)
        assert error, f"taken as valid: {spoilt.text[:300]!r}"
        shown = f"{spoilt.text[:300]!r}: {error.code} at {error.position}, not {spoilt.first}-{spoilt.last}"
        assert CODE.fullmatch(error.code), shown
        assert isinstance(error.params, dict)
        check_sentence(str(error))
        assert error.position is not None, shown
        assert spoilt.first <= error.position <= spoilt.last, shown


@pytest.mark.parametrize("kind", malformed.FREQUENCY_CLASSES, ids=lambda kind: kind.__name__)
def test_spoilt_frequencies(kind, tmp_path):
    from hlaengine import frequencies

    rng = random.Random(f"{SEED} {kind.__name__}")
    path = tmp_path / "frequencies.csv"
    for _ in range(82 if kind is not malformed.binary else 86):
        spoilt = malformed.spoil_frequencies(rng, kind)
        path.write_bytes(spoilt.content)
        error = refusal(frequencies.read, str(path))
        assert error, f"taken as valid: {spoilt.content[:400]!r}"
        shown = f"{spoilt.content[:400]!r}: {error.code} on line {error.line}, not {spoilt.lines}"
        assert CODE.fullmatch(error.code), shown
        check_sentence(str(error))
        assert "frequencies.csv" in str(error.file)
        if spoilt.lines:
            assert error.line is not None, shown
            assert spoilt.lines[0] <= error.line <= spoilt.lines[1], shown


def refused(folder, done, wrong: str, lines: tuple[int, int] | None) -> str:
    """The run was refused as promised; returns the error's code."""
    assert done.code == 2, (done.code, done.out, done.err)
    error = done.error
    check_sentence(error["sentence"])
    assert error["file"].endswith(wrong), error
    if lines:
        assert error["line"], error
        assert lines[0] <= int(error["line"]) <= lines[1], (error, lines)
    left = {path.name for path in folder.iterdir()} - {
        *(
            "frequencies.csv",
            "frequencies.csv.gz",
            "patients.txt",
            "donors.txt",
            "subjects.txt",
            "subjects.csv",
        ),
        *("subjects.txt.gz", "subjects.csv.gz"),
    }
    assert not left, f"left behind: {left}"
    return error["code"]


def valid_frequencies(folder):
    chosen = malformed.valid_haplotypes(random.Random(1), 5)
    return worlds.write_frequencies(folder, dict.fromkeys(chosen, "0.1"))


@pytest.mark.parametrize("command", ["impute", "match"])
@pytest.mark.parametrize("kind", malformed.SUBJECT_CLASSES, ids=lambda kind: kind.__name__)
def test_spoilt_subjects_on_the_command_line(kind, command, tmp_path):
    rng = random.Random(f"{SEED} {kind.__name__} {command}")
    frequencies = valid_frequencies(tmp_path)
    other = write(tmp_path / "patients.txt", f"P1%{malformed.valid_typing(rng)}\n")
    out = tmp_path / "out.csv"
    for _ in range(20):
        spoilt = malformed.spoil_subjects(rng, kind)
        path = tmp_path / spoilt.name
        path.write_bytes(spoilt.content)
        if command == "impute":
            who = ("--subjects", path)
        else:
            who = (
                ("--patients", other, "--donors", path)
                if rng.random() < 0.5
                else ("--patients", path, "--donors", other)
            )
        done = run(command, "--frequencies", frequencies, *who, "--out", out)
        refused(tmp_path, done, spoilt.name, spoilt.lines)
        path.unlink()


@pytest.mark.parametrize("kind", malformed.FREQUENCY_CLASSES, ids=lambda kind: kind.__name__)
def test_spoilt_frequencies_on_the_command_line(kind, tmp_path):
    rng = random.Random(f"{SEED} {kind.__name__} cli")
    subjects = write(tmp_path / "subjects.txt", f"S1%{malformed.valid_typing(rng)}\n")
    for _ in range(10):
        spoilt = malformed.spoil_frequencies(rng, kind)
        (tmp_path / spoilt.name).write_bytes(spoilt.content)
        done = run(
            *("impute", "--frequencies", tmp_path / spoilt.name, "--subjects", subjects),
            *("--out", tmp_path / "out.csv"),
        )
        refused(tmp_path, done, spoilt.name, spoilt.lines)


@pytest.mark.parametrize("which", ["frequencies", "subjects"])
def test_damaged_gzip(which, tmp_path):
    rng = random.Random(f"{SEED} gzip {which}")
    subjects = write(tmp_path / "subjects.txt", f"S1%{malformed.valid_typing(rng)}\n")
    frequencies = valid_frequencies(tmp_path)
    good = {"frequencies": frequencies, "subjects": subjects}
    seen = Counter()
    for _ in range(130):
        kind, content = malformed.damaged_gzip(rng, good[which].read_bytes())
        bad = tmp_path / (good[which].name + ".gz")
        bad.write_bytes(content)
        files = good | {which: bad}
        done = run(
            *("impute", "--frequencies", files["frequencies"], "--subjects", files["subjects"]),
            *("--out", tmp_path / "out.csv"),
        )
        refused(tmp_path, done, bad.name, None)
        bad.unlink()
        seen[kind] += 1
    assert len(seen) == 5


def test_the_column_is_the_place_in_the_line(tmp_path):
    """The fault's column counts from 1 along the whole line, the id included."""
    frequencies = valid_frequencies(tmp_path)
    for lines, line, column in (
        (["S1%A*01:01//A*02:01+A*02:01"], 1, (11, 12)),
        (["S1%A*01:01+A*02:01", "S2%A*01:01+A*02:01^^B*07:02"], 2, (19, 21)),
        (["S1%A*01:01+A*02:01", "", "LONGNAME%A*01:01+A*02:0x"], 3, (18, 24)),
    ):
        subjects = write(tmp_path / "subjects.txt", "\n".join(lines) + "\n")
        done = run(
            *("impute", "--frequencies", frequencies, "--subjects", subjects),
            *("--out", tmp_path / "out.csv"),
        )
        refused(tmp_path, done, "subjects.txt", (line, line))
        assert done.error["column"], done.err
        assert column[0] <= int(done.error["column"]) <= column[1], done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--min-probability", "x"),
        ("--min-probability", "-1"),
        ("--min-probability", "nan"),
        ("--min-probability", "inf"),
        ("--min-probability", "2"),
        ("--min-probability", ""),
        ("--no-such-option",),
    ],
    ids=" ".join,
)
def test_wrong_options(arguments, tmp_path):
    subjects = write(tmp_path / "subjects.txt", "S1%A*01:01+A*02:01\n")
    done = run(
        *(
            "match",
            "--frequencies",
            valid_frequencies(tmp_path),
            "--patients",
            subjects,
            "--donors",
            subjects,
        ),
        *("--out", tmp_path / "out.csv", *arguments),
    )
    assert done.code == 2
    assert "Traceback" not in done.err
    assert done.err.strip()
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("what", ["absent", "folder", "no such folder for the output", "output is a folder"])
def test_files_that_are_not_there(what, tmp_path):
    frequencies = valid_frequencies(tmp_path)
    subjects = write(tmp_path / "subjects.txt", "S1%A*01:01+A*02:01\n")
    out = tmp_path / "out.csv"
    if what == "absent":
        subjects = tmp_path / "nobody.txt"
    elif what == "folder":
        subjects = tmp_path / "folder"
        subjects.mkdir()
    elif what == "output is a folder":
        out.mkdir()
    else:
        out = tmp_path / "nowhere" / "out.csv"
    before = set(tmp_path.rglob("*"))
    done = run("impute", "--frequencies", frequencies, "--subjects", subjects, "--out", out)
    assert done.code == 2
    check_sentence(done.error["sentence"])
    assert set(tmp_path.rglob("*")) == before


def test_a_refused_run_leaves_the_former_result_alone(tmp_path):
    out = write(tmp_path / "out.csv", "of yesterday\n")
    beside = write(tmp_path / "out.csv.unexplained.csv", "of yesterday too\n")
    subjects = write(tmp_path / "subjects.txt", "S1%A*01:01+A*02:01\nS2%A*01:01//A*02:01\n")
    done = run("impute", "--frequencies", valid_frequencies(tmp_path), "--subjects", subjects, "--out", out)
    assert done.code == 2
    assert out.read_text() == "of yesterday\n"
    assert beside.read_text() == "of yesterday too\n"


@pytest.mark.parametrize("name", ["frequencies", "subjects"])
def test_a_byte_order_mark_never_becomes_part_of_a_name(name, tmp_path):
    """Spreadsheets write one; it is skipped or refused, in either case said or harmless."""
    frequencies = valid_frequencies(tmp_path)
    subjects = write(tmp_path / "subjects.txt", "S1%A*01:01+A*02:01\n")
    path = {"frequencies": frequencies, "subjects": subjects}[name]
    out = tmp_path / "out.csv"
    arguments = ("impute", "--frequencies", frequencies, "--subjects", subjects, "--out", out)
    assert run(*arguments).code == 0
    plain = out.read_bytes()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    done = run(*arguments)
    if done.code == 2:
        assert done.error["line"] == "1"
    else:
        assert out.read_bytes() == plain


# --- at random ---


GRAMMAR = [
    "^",
    "|",
    "+",
    "~",
    "/",
    "-",
    ":",
    "*",
    "A",
    "B",
    "C",
    "DRB1",
    "DQB1",
    "HLA-",
    "01",
    "02",
    "XX",
    "NEW",
    "N",
]
GRAMMAR += ["A*01:01", "B*07:02", "DRB1*15:01", "A*24:09N", "A*02:XX", "A*01:NEW", "g", " ", "A*02:01:01:01"]


def random_texts(rng: random.Random, number: int):
    anything = string.printable + "é中文字Ａ１\x00\x1b\u2028\ufeff\U0001f9ec"
    for turn in range(number):
        kind = turn % 4
        if kind == 0:
            yield "".join(rng.choices(GRAMMAR, k=rng.randint(0, 14)))
        elif kind == 1:
            yield "".join(rng.choices(anything, k=rng.randint(0, 40)))
        elif kind == 2:
            yield rng.randbytes(rng.randint(0, 60)).decode("utf-8", "surrogateescape")
        else:  # a valid one with a few characters changed
            text = list(malformed.valid_typing(rng))
            for _ in range(rng.randint(1, 3)):
                text[rng.randrange(len(text))] = rng.choice(["", *GRAMMAR, *anything])
            yield "".join(text)


def test_random_texts_parse_or_are_refused():
    outcome = Counter()
    for text in random_texts(random.Random(SEED), 10_000):
        error = refusal(parse, text)
        outcome["refused" if error else "parsed"] += 1
        if error:
            assert CODE.fullmatch(error.code)
            check_sentence(str(error))
            assert error.position is None or 0 <= error.position <= len(text), (text, error.position)
    assert outcome["parsed"] > 50
    assert outcome["refused"] > 5000


def test_random_bytes_as_files(tmp_path):
    rng = random.Random(SEED)
    subjects = write(tmp_path / "subjects.txt", "S1%A*01:01+A*02:01\n")
    frequencies = valid_frequencies(tmp_path)
    good = {"frequencies": frequencies.read_bytes(), "subjects": subjects.read_bytes()}
    out = tmp_path / "out.csv"
    for _ in range(400):
        which = rng.choice(["frequencies", "subjects"])
        content = bytearray(good[which])
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(content))
            content[place : place + rng.choice([0, 1, 1, 5])] = rng.randbytes(rng.choice([0, 1, 1, 3]))
        frequencies.write_bytes(good["frequencies"])
        subjects.write_bytes(good["subjects"])
        {"frequencies": frequencies, "subjects": subjects}[which].write_bytes(bytes(content))
        done = run("impute", "--frequencies", frequencies, "--subjects", subjects, "--out", out)
        if done.code == 0:
            assert out.exists()
            assert "Traceback" not in done.err
        else:
            refused(tmp_path, done, which + (".csv" if which == "frequencies" else ".txt"), None)
        for path in tmp_path.glob("out.csv*"):
            path.unlink()


def test_a_path_may_be_a_path_object(tmp_path):
    from hlaengine import frequencies

    assert len(frequencies.read(valid_frequencies(tmp_path)).haplotypes) == 5
