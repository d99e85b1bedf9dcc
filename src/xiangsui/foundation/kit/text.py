"""Text as people type it with a Chinese input method, made comparable."""

import unicodedata


def half_width(text: str) -> str:
    """Full-width digits, letters and signs made half-width (Unicode NFKC)."""
    # PostgreSQL keeps no NUL, and nobody types one.
    return unicodedata.normalize("NFKC", text).replace("\x00", "")


def compact(text: str) -> str:
    """Half-width, without any blank or line break: for numbers and typings."""
    return "".join(half_width(text).split())
