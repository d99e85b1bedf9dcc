"""Text files in and out: plain or `.gz`, UTF-8, read with the line of every record, written whole or not at
all."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from .errors import HlaError, InputFileError
from .typings import Typing, parse

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Subject:
    """A patient or donor of a file: its id, its typing, and where it stood."""

    id: str
    typing: Typing
    file: str
    line: int
    offset: int = 0


def read_text(path: str | os.PathLike[str]) -> str:
    """The whole text of a file; a `.gz` is unpacked, a UTF-8 byte-order mark is passed over.

    Raises:
        InputFileError: missing, unreadable, damaged gzip; not UTF-8 or a control character (with the line of
            the first).
    """
    path = os.fspath(path)
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
        if path.endswith(".gz"):
            raw = gzip.decompress(raw)
    except FileNotFoundError:
        raise InputFileError("file.missing", "The file does not exist.", file=path) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputFileError("file.damaged_gzip", "The file is not a whole gzip file.", file=path) from None
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise InputFileError("file.unreadable", f"The file cannot be read: {reason}.", file=path) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1)
        raise InputFileError(
            "file.not_utf8", "The file is not UTF-8; save it as UTF-8.", file=path, line=line, position=column
        ) from None
    if (bad := _CONTROL.search(text)) is not None:
        # Invisible characters make two ids out of one; no text of ours holds any.
        raise InputFileError(
            "file.control_character",
            f"The file holds the control character {bad[0]!a}; remove it.",
            file=path,
            line=text.count("\n", 0, bad.start()) + 1,
            position=bad.start() - (text.rfind("\n", 0, bad.start()) + 1),
            character=bad[0],
        )
    return text


def read_subjects(path: str | os.PathLike[str], *, blank: str = "homozygous") -> list[Subject]:
    """Read subjects: lines ``ID%GL``, or CSV with the columns ``id`` and ``gl``.

    Raises:
        HlaError: with file, line and column, for anything that is not such a record; ids must be unique.
    """
    path = os.fspath(path)
    text = read_text(path)
    first_line, first = next(((n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()), (1, ""))
    if not first:
        raise InputFileError("subjects.empty", "The file holds no subject.", file=path, line=1)
    columns = [c.strip().lower() for c in first.split(",")]
    if "%" not in first and ("id" in columns or "gl" in columns or "," in first):
        records = _csv_records(path, text, first_line, columns)
    else:
        records = _percent_records(path, text)
    seen: dict[str, int] = {}
    subjects = []
    for line, offset, id_, gl in records:
        if not id_:
            raise InputFileError("subjects.no_id", "The subject has no id.", file=path, line=line)
        if id_ in seen:
            raise InputFileError(
                "subjects.duplicate_id",
                f"Subject {id_!r} already stands on line {seen[id_]}.",
                file=path,
                line=line,
                id=id_,
                first_line=seen[id_],
            )
        seen[id_] = line
        try:
            subjects.append(Subject(id_, parse(gl, blank=blank), path, line, offset))
        except HlaError as error:
            raise error.at(path, line, offset) from None
    if not subjects:
        raise InputFileError("subjects.empty", "The file holds no subject.", file=path, line=first_line)
    return subjects


def _percent_records(path: str, text: str) -> Iterator[tuple[int, int, str, str]]:
    for number, row in enumerate(text.split("\n"), 1):
        line = row.rstrip("\r")
        if not line.strip():
            continue
        id_, percent, gl = line.partition("%")
        if not percent:
            raise InputFileError(
                "subjects.no_percent", "Expected ID%GL: there is no '%' on the line.", file=path, line=number
            )
        yield number, len(id_) + 1, id_.strip(), gl


def _csv_records(path: str, text: str, header_line: int, columns: list[str]) -> Iterator[tuple[int, int, str, str]]:
    for wanted in ("id", "gl"):
        if columns.count(wanted) != 1:
            raise InputFileError(
                "subjects.missing_column" if wanted not in columns else "subjects.duplicate_column",
                f"The header must hold the column '{wanted}' once; lines ID%GL are the other way.",
                file=path,
                line=header_line,
                column=wanted,
            )
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    where = columns.index("id"), columns.index("gl")
    try:
        for row in reader:
            number = reader.line_num
            if number <= header_line or not any(cell.strip() for cell in row):
                continue
            if len(row) != len(columns):
                raise InputFileError(
                    "subjects.cells",
                    f"The line has {len(row)} cells, the header {len(columns)}.",
                    file=path,
                    line=number,
                    cells=len(row),
                    columns=len(columns),
                )
            id_, gl = row[where[0]].strip(), row[where[1]]
            yield number, max(lines[number - 1].find(gl), 0) if gl else 0, id_, gl
    except csv.Error as error:
        raise InputFileError(
            "file.bad_csv", f"The line is not CSV: {error}.", file=path, line=max(reader.line_num, 1)
        ) from None


@contextmanager
def write_text(path: str | os.PathLike[str]) -> Iterator[IO[str]]:
    """A text stream beside `path` that takes its place when the block ends well and is removed when it does
    not.

    A `.gz` is packed without a time stamp, so that equal content is equal bytes.
    """
    path = os.fspath(path)
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "wb") as raw:
            if path.endswith(".gz"):
                with (
                    gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
                    io.TextIOWrapper(packed, "utf-8", newline="\n") as stream,
                ):
                    yield stream
            else:
                with io.TextIOWrapper(raw, "utf-8", newline="\n") as stream:
                    yield stream
        os.replace(part, path)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise InputFileError("file.unwritable", f"The file cannot be written: {reason}.", file=path) from None
    finally:
        if os.path.exists(part):
            os.unlink(part)
