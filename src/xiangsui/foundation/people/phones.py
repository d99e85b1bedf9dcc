"""Telephone numbers, as cells hold them: several, with notes, extensions and blanks anywhere."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from xiangsui.foundation.kit.errors import Refusal

from .text import unmarked

_MOBILE = r"1[3-9][0-9]{9}"
# Area code without its 0, and the subscriber's number.
_LANDLINE = r"(?:10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8}"
_PHONE = re.compile(rf"{_MOBILE}|0(?:{_LANDLINE})|[2-9][0-9]{{6,7}}|[48]00[0-9]{{7}}|\+[0-9]{{6,15}}")
_EXTENSION = re.compile(r"(?:-|转|分机|ext\.?|#)[0-9]{1,6}$", re.IGNORECASE)
_NOTE = re.compile(r"\([^()0-9]*\)")


def phones_read(phones: str | list[str]) -> tuple[str, ...]:
    """Telephone numbers out of a cell that may hold several, normalised: mobiles to eleven digits.

    Words in brackets and extensions are left out: they are no part of what a person is found by.

    Raises:
        Refusal: something is no telephone number.
    """
    found: list[str] = []
    for cell in [phones] if isinstance(phones, str) else phones:
        for part in re.split(r"[,，;；、/\\|或\r\n]", _NOTE.sub(" ", unmarked(cell))):
            found += _apart(part.strip())
    return tuple(dict.fromkeys(found))


def _apart(part: str) -> list[str]:
    """The numbers of a part, which blanks may stand between, or inside of.

    Raises:
        Refusal: they are none.
    """
    pieces = part.split()
    # From the end: how the pieces from each place on divide into numbers, the longest first.
    divided: list[list[str] | None] = [*([None] * len(pieces)), []]
    for start in reversed(range(len(pieces))):
        for end in range(min(len(pieces), start + 8), start, -1):
            rest, number = divided[end], _number("".join(pieces[start:end]))
            if rest is not None and number:
                divided[start] = [number, *rest]
                break
    if divided[0] is not None:
        return divided[0]
    if re.fullmatch(r"[0-9](\.[0-9]+)?E\+?[0-9]+", part, re.IGNORECASE):
        raise Refusal(
            _("电话“%(phone)s”像是被表格软件改成了科学计数，后几位已丢失，请按原件重填。") % {"phone": part},
            code="identity.phone",
        )
    raise Refusal(
        _("“%(phone)s”不是电话号码；手机为11位，座机带区号，境外号码以+开头。") % {"phone": part}, code="identity.phone"
    )


def _number(text: str) -> str:
    """One number, normalised; empty where it is none."""
    for written in (text, _EXTENSION.sub("", text)):
        compact = re.sub(r"[\-.()']", "", re.sub(r"(?<=[0-9])\.0$", "", written))
        compact = re.sub(rf"^86(?={_MOBILE}$)", "", re.sub(r"^00", "+", compact))
        compact = re.sub(r"^\+86(?=(?:[48]00)?[0-9]{7}$)|^0(?=1[3-9][0-9]{9}$)", "", compact)
        if compact.startswith("+86"):
            # From abroad, an area is dialled without its 0.
            compact = re.sub(rf"^(?={_LANDLINE}$)", "0", compact[3:])
        if _PHONE.fullmatch(compact):
            return compact
    return ""
