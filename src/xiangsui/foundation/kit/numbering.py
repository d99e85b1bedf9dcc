"""Numbers that other organisations read: GRID, ISBT 128 donation numbers, CMDP donor numbers."""

import re
import secrets

from .text import half_width

# ISO/IEC 7064 MOD 37-2. `*` is the check character of value 36.
_MOD37 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
# Crockford's alphabet: no I, L, O, U, so that a number read over the telephone arrives.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CMDP_ION = "2197"  # WMDA's issuing organisation number of the China Marrow Donor Program.


def mod37_2(text: str) -> int:
    """The check value 0..36 of `text` (digits and capitals) by ISO/IEC 7064 MOD 37-2.

    Raises:
        ValueError: another character occurs.
    """
    total = 0
    for character in text:
        value = _MOD37.index(character)  # raises ValueError
        total = (total + value) * 2 % 37
    return (38 - total) % 37


def grid(ion: str, identifier: str) -> str:
    """A Global Registration Identifier for Donors: ION (4 digits) + identifier (13) + two check digits.

    Source: ISBT 128 ST-001 §2.4.39; WMDA data dictionary field 448.
    """
    prefix = ion + identifier
    if not re.fullmatch(r"[1-9][0-9]{3}[0-9A-Z]{13}", prefix):
        raise ValueError(f"a GRID needs four digits and thirteen letters or digits, not {prefix!r}")
    return f"{prefix}{mod37_2(prefix):02d}"


def new_grid(ion: str = CMDP_ION) -> str:
    """A new GRID with a random identifier: it says nothing of place, year or order."""
    return grid(ion, "".join(secrets.choice(_CROCKFORD) for _ in range(13)))


def grid_compact(text: str) -> str:
    """A GRID as it is stored: half-width capitals without blanks and hyphens."""
    return re.sub(r"[\s-]", "", half_width(text)).upper()


def grid_is_valid(text: str) -> bool:
    """Whether `text` (blanks and hyphens allowed) is a GRID with the right check digits."""
    compact = grid_compact(text)
    return bool(re.fullmatch(r"[1-9][0-9]{3}[0-9A-Z]{13}[0-3][0-9]", compact)) and compact == grid(
        compact[:4], compact[4:17]
    )


def grid_print(text: str) -> str:
    """A GRID as it is printed: in groups of 4-4-4-4-3."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def din_check(din: str) -> str:
    """The check character of a 13-character ISBT 128 donation identification number (`G123498654321` → `H`)."""
    if not re.fullmatch(r"[A-NP-Z1-9][0-9]{12}", din):
        raise ValueError(f"a donation number is one letter or digit and twelve digits, not {din!r}")
    return _MOD37[mod37_2(din)]


def cmdp_is_valid(text: str) -> bool:
    """Whether `text` has the form of a CMDP donor number: twelve digits (WMDA operational sheet, ION-2197)."""
    return bool(re.fullmatch(r"[0-9]{12}", text))
