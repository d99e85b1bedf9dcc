"""The search index and what it is built with."""

from .paths import HLA_INDEX_DIR as HLA_INDEX_DIR

# Above so many changes since the last index, a job folds them in. Searches are right either way; it is about speed.
HLA_COMPACT_AT = 2_000
HLA_COMPACT_SECONDS = 600
