"""The engine's parts this site runs with, opened once a process."""

from __future__ import annotations

import functools
import threading

from django.conf import settings

from hlaengine import frequencies, index, search, starter
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


def searcher() -> search.Searcher:
    """A searcher over the newest published index, opened again when a newer one was published.

    Raises:
        hlaengine.errors.IndexDamaged: there is none yet, or its files are not what its manifest says.
    """
    global _searcher
    with _lock:
        if _searcher is None or not _searcher.index.is_current():
            _searcher = search.Searcher(index.Index.open(settings.HLA_INDEX_DIR))
        return _searcher
