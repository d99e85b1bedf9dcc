"""The engine seen from outside: files in, the command line, files out."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path

MATCH_HEADER = "patient,donor,p_10,p_9,p_8,A_both,C_both,B_both,DRB1_both,DQB1_both,A_one,C_one,B_one,DRB1_one,DQB1_one"
IMPUTE_HEADER = "subject,rank,haplotype_1,haplotype_2,probability"
UNEXPLAINED_HEADER = "subject,reason,locus,allele"

ERROR_LINE = re.compile(
    r"^error: (?P<file>.+?)(?::(?P<line>\d+)(?::(?P<column>\d+))?)?: "
    r"(?P<sentence>\S.*\S) \[(?P<code>[a-z0-9_.]+)\]$"
)


@dataclass
class Run:
    code: int
    out: str
    err: str

    @property
    def error(self) -> dict:
        """The one error line of a refused run, taken apart; fails when there is not exactly one."""
        lines = self.err.splitlines()
        assert len(lines) == 1, f"one line on stderr was promised, there are {len(lines)}: {self.err[:2000]}"
        found = ERROR_LINE.match(lines[0])
        assert found, f"not of the promised form: {lines[0][:500]}"
        return found.groupdict()


def run(*args: object) -> Run:
    from hlaengine.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as leaving:
            code = leaving.code
    return Run(code or 0, out.getvalue(), err.getvalue())


def text_of(path: Path) -> str:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            return stream.read()
    return path.read_bytes().decode("utf-8")


def write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        with gzip.open(path, "wt", encoding="utf-8", newline="") as stream:
            stream.write(text)
    else:
        path.write_bytes(text.encode("utf-8"))
    return path


def rows(path: Path, header: str) -> list[dict[str, str]]:
    text = text_of(path)
    lines = text.splitlines()
    assert lines, f"{path.name} is empty, not even a header"
    assert lines[0] == header
    assert text.endswith("\n")
    return list(csv.DictReader(lines))


def number(text: str) -> float:
    """A number as it must be written: the shortest text that reads back as the same float."""
    value = float(text)
    assert repr(value) == text, f"{text} is not the shortest form of {value!r}"
    return value


def unexplained_beside(out: Path) -> Path:
    return out.with_name(out.name + ".unexplained.csv")
