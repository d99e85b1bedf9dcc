"""What somebody typed, or a spreadsheet held, before it is read as anything."""

from __future__ import annotations

import re
import unicodedata

from xiangsui.foundation.kit.text import half_width

# Selectors of a glyph's variant: they change how a character is drawn, not which one it is.
_VARIANTS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    """Half-width, without what nobody sees: zero-width blanks and marks of direction that chats and sheets leave."""
    kept = (c for c in half_width(text) if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc", "Cs"})
    return _VARIANTS.sub("", "".join(kept))


def unmarked(text: str) -> str:
    """`visible`, stripped, and without the apostrophe by which a spreadsheet marks a cell as text ('t Hooft keeps his)."""
    return re.sub(r"^'(?![a-z])", "", visible(text).strip()).strip()


def mask_middle(text: str, head: int, tail: int) -> str:
    """At most the ends of a number, with stars between.

    At least four characters are hidden, as of a mobile number (138****1234); of anything shorter, half or more.
    """
    shown = len(text) - 4 if len(text) >= 11 else len(text) // 2
    head = min(head, shown // 2)
    tail = min(tail, shown - head)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]
