"""Refusals that a person reads: what is wrong, with what value, and what would be right."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Something a user may not do or must mend first. Rooms subclass or raise it with a translated message.

    Attributes:
        message: one or two sentences for the reader, already lazily translated.
        code: stable name for programs, such as `typing.unknown_allele`.
        params: values named in the message.
        status: the HTTP status a page or the API answers with.
    """

    status = 400

    def __init__(self, message: Any, *, code: str = "refused", status: int | None = None, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.params = params
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(Refusal):
    """The person's present role or organisation does not permit this."""

    status = 403
