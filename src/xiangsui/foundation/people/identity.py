"""What identifies a person: read as people type it, checked, normalised, masked."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from dataclasses import dataclass

from django.utils.translation import gettext as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal

from .documents import IdKind, birth_date_of, id_read, ids_meant
from .names import mask_name, name_key, pinyin_meant, pinyin_of
from .phones import phones_read
from .text import mask_middle, unmarked

__all__ = [
    "IdKind",
    "Identity",
    "id_read",
    "identity_read",
    "mask_middle",
    "mask_name",
    "name_key",
    "phones_read",
    "pinyin_of",
    "query_tokens",
]


@dataclass(frozen=True, repr=False)
class Identity:
    """Who a person is. `phones` are normalised; `id_number` is in the form of its kind."""

    name: str
    id_kind: str = ""
    id_number: str = ""
    phones: tuple[str, ...] = ()
    birth_date: str = ""
    address: str = ""
    ethnicity: str = ""

    def __repr__(self) -> str:
        # Nobody's name or numbers in a traceback or a log.
        return f"Identity({mask_name(self.name)})"

    def to_bytes(self) -> bytes:
        """For the vault."""
        # vars, not asdict: it copies deeply, at ten times the cost.
        return json.dumps(vars(self), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Identity:
        """From the vault."""
        data = json.loads(raw)
        return cls(**{**data, "phones": tuple(data["phones"])})

    @property
    def masked(self) -> Identity:
        """As it is shown outside the jurisdiction and in lists: 张*星, 138****1234 (domain.md §5.1)."""
        return Identity(
            name=mask_name(self.name),
            id_kind=self.id_kind,
            id_number=mask_middle(self.id_number, 4, 4),
            phones=tuple(mask_middle(phone, 3, 4) for phone in self.phones),
            birth_date=self.birth_date[:4],
            ethnicity=self.ethnicity,
        )

    def tokens(self) -> list[tuple[str, str]]:
        """Everything the person can be found by: (kind, normalised value)."""
        found = [("name", name_key(self.name))]
        syllables = pinyin_of(self.name)
        if syllables:
            found += [("pinyin", "".join(syllables)), ("initials", "".join(s[0] for s in syllables))]
        if self.id_number:
            found.append(("id", f"{self.id_kind}:{self.id_number}"))
        for phone in self.phones:
            found += [("phone", phone), ("phone4", phone[-4:])]
        return found


def identity_read(
    *,
    name: str,
    id_kind: str = "",
    id_number: str = "",
    phones: str | list[str] = "",
    birth_date: str = "",
    address: str = "",
    ethnicity: str = "",
) -> Identity:
    """An identity from what somebody typed or a spreadsheet held.

    Raises:
        Refusal: naming the value that is wrong and what would be right.
    """
    name = " ".join(unmarked(name).split())
    if not any(map(str.isalpha, name)):
        raise Refusal(_("请填写姓名。"), code="identity.name")
    kind, number = id_read(id_kind, id_number)
    numbers = phones_read(phones)
    born = _birth_date(birth_date)
    if kind in {IdKind.RESIDENT, IdKind.HMT_RESIDENCE}:
        on_card = birth_date_of(number).isoformat()
        if born and born != on_card:
            raise Refusal(
                _("出生日期%(given)s与身份证号上的%(card)s不一致。") % {"given": born, "card": on_card},
                code="identity.birth_date",
            )
        born = on_card
    return Identity(name, kind, number, numbers, born, unmarked(address), unmarked(ethnicity))


def _birth_date(text: str) -> str:
    """A day of birth in the ISO form, out of the usual ones: 2003.5.7, 2003/5/7, 2003年5月7日, 20030507.

    Raises:
        Refusal: there is no such day, or it is to come.
    """
    text = re.sub(r"[\sT]+0?0:00(:00)?$", "", unmarked(text))
    if not text:
        return ""
    usual = re.fullmatch(r"([0-9]{4})\s*[-./。年]\s*([0-9]{1,2})\s*[-./。月]\s*([0-9]{1,2})\s*日?", text)
    try:
        day = dt.date(*map(int, usual.groups())) if usual else dt.date.fromisoformat(text)
        if not dt.date(1900, 1, 1) <= day <= clock.today():
            raise ValueError
    except ValueError as error:
        raise Refusal(
            _("出生日期“%(date)s”不对，应为过去的日期，如 1990-05-08。") % {"date": text}, code="identity.birth_date"
        ) from error
    return day.isoformat()


def query_tokens(text: str) -> list[tuple[str, str]]:
    """What a person typed into the search box, as the tokens it may mean: read as it was when it was entered."""
    text = unmarked(text)
    tokens: list[tuple[str, str]] = []
    if re.fullmatch(r"[0-9]{4}", text):
        tokens.append(("phone4", text))
    with contextlib.suppress(Refusal):
        tokens += [("phone", phone) for phone in phones_read(text)]
    tokens += [("id", f"{kind}:{number}") for kind, number in ids_meant(text)]
    if any(map(str.isalpha, text)):
        tokens.append(("name", name_key(text)))
        for spelling in pinyin_meant(text):
            tokens += [("pinyin", spelling), ("initials", spelling)]
    return tokens
