"""Where the index gets its rows. `donors` stands above this room and registers itself here."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class SearchRow(NamedTuple):
    """A donor as the index knows him: an opaque identifier and a typing (None: not to be found by searches)."""

    subject: uuid.UUID
    typing: str | None


@dataclass(frozen=True)
class Source:
    """`everything()` streams all searchable rows; `some(ids)` gives the present row of each of them."""

    everything: Callable[[], Iterable[SearchRow]]
    some: Callable[[Sequence[uuid.UUID]], Iterable[SearchRow]]


_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Feed the index from `source`; called from a room's `AppConfig.ready`."""
    _sources.append(source)


def everything() -> Iterable[SearchRow]:
    """Every searchable row of every source."""
    for source in _sources:
        yield from source.everything()


def some(subjects: Sequence[uuid.UUID]) -> Iterable[SearchRow]:
    """The present rows of `subjects`; those nobody knows any more come back without a typing."""
    found: dict[uuid.UUID, SearchRow] = {}
    for source in _sources:
        found.update((row.subject, row) for row in source.some(subjects))
    return [found.get(subject, SearchRow(subject, None)) for subject in subjects]
