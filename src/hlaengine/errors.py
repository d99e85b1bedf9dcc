"""Every error the engine raises on purpose.

One base class with a stable `code`, the `params` a translation needs, and the place the error was met, so
that a platform can word it in another language and a command line can print `FILE:LINE:COLUMN`.
"""

from __future__ import annotations

from typing import Any, Self

_LONGEST = 400


class HlaError(Exception):
    """An input the engine refuses, or a store it cannot trust.

    Attributes:
        code: stable dotted name, e.g. ``typing.unknown_allele``.
        params: values of the sentence, by name.
        position: 0-based character in the text that was parsed, or None.
        line: 1-based line of `file`, or None.
        file: path as the caller gave it, or None.

    ``str(error)`` is one English sentence that says what would be right.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        position: int | None = None,
        line: int | None = None,
        file: str | None = None,
        **params: Any,
    ) -> None:
        message = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
        if len(message) > _LONGEST:
            # A megabyte pasted into a field must not become a megabyte of error.
            message = f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"
        super().__init__(message)
        self.code = code
        self.message = message
        self.params = params
        self.position = position
        self.line = line
        self.file = file

    def __str__(self) -> str:
        return self.message

    def at(self, file: str, line: int | None = None, offset: int = 0) -> Self:
        """Say where in a file the text stood; `offset` is the text's first character in its line."""
        if self.file is None:
            self.file = file
            self.line = line
            if line is not None:
                self.position = offset + (self.position or 0)
        return self

    def located(self) -> str:
        """``FILE:LINE:COLUMN: sentence [code]`` with the parts that are known (column counts from 1)."""
        place = ""
        if self.file is not None:
            place = self.file + ":"
            if self.line is not None:
                place += f"{self.line}:{(self.position or 0) + 1}:"
            place += " "
        return f"{place}{self.message} [{self.code}]"


class TypingError(HlaError):
    """A typing that cannot be read (codes ``typing.*``)."""


class NomenclatureError(HlaError):
    """A nomenclature that cannot be used (codes ``nomenclature.*``)."""


class FrequencyError(HlaError):
    """A haplotype frequency file or set that cannot be used (codes ``frequencies.*``)."""


class InputFileError(HlaError):
    """A file that cannot be read or written as what it should be (codes ``file.*``, ``subjects.*``)."""


class SearchError(HlaError):
    """A question that the index cannot answer (codes ``search.*``)."""


class IndexDamaged(HlaError):
    """A donor index whose files are not what its manifest says (codes ``index.*``)."""
