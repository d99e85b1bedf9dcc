"""The engine's parts this site runs with, opened once a process."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from hlaengine import errors, frequencies, index, search, starter
from hlaengine import nomenclature as naming


@functools.cache
def nomenclature() -> naming.Nomenclature:
    """The nomenclature typings are checked and compared by."""
    return starter.nomenclature()


@functools.cache
def frequency_set() -> frequencies.FrequencySet:
    """The haplotype frequency set in use. The shipped one is synthetic, and screens that use it say so."""
    return starter.frequency_set()


_lock = threading.Lock()
_searcher: search.Searcher | None = None


@contextmanager
def searching() -> Iterator[search.Searcher]:
    """The searcher over the newest published index, for one thread at a time.

    Raises:
        hlaengine.errors.IndexDamaged: there is none yet (`index.missing`), or its files are not what they should be.
    """
    global _searcher
    with _lock:
        if _searcher is None or not _searcher.index.is_current():
            if not (settings.HLA_INDEX_DIR / "manifest.json").exists():
                raise errors.IndexDamaged("index.missing", "No index was built yet.")
            _searcher = search.Searcher(index.Index.open(settings.HLA_INDEX_DIR))
        yield _searcher
