"""What identifies a person: read as people type it, checked, normalised, masked."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pypinyin import Style, lazy_pinyin, load_phrases_dict
from stdnum.cn import ric

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.text import half_width

# Surnames that pypinyin reads as the everyday word. Facts of the language, not a list of people.
_SURNAMES = {
    "曾": "zēng", "单": "shàn", "解": "xiè", "查": "zhā", "仇": "qiú", "朴": "piáo", "任": "rén", "区": "ōu",
    "华": "huà", "盖": "gě", "燕": "yān", "尉": "yù", "乐": "yuè", "覃": "qín", "翟": "zhái", "缪": "miào",
    "宓": "fú", "幺": "yāo", "折": "shé", "黑": "hè", "洗": "xiǎn", "晟": "chéng", "员": "yùn", "车": "chē",
}  # fmt: skip
load_phrases_dict({"尉迟": [["yù"], ["chí"]], "万俟": [["mò"], ["qí"]], "长孙": [["zhǎng"], ["sūn"]]})


class IdKind(models.TextChoices):
    """Kinds of identity documents (domain.md §0)."""

    RESIDENT = "resident", gettext_lazy("居民身份证")
    PASSPORT = "passport", gettext_lazy("护照")
    HK_MACAU = "hk_macau", gettext_lazy("港澳居民来往内地通行证")
    TAIWAN = "taiwan", gettext_lazy("台湾居民来往大陆通行证")
    HMT_RESIDENCE = "hmt_residence", gettext_lazy("港澳台居民居住证")
    FOREIGN = "foreign", gettext_lazy("外国人永久居留身份证")


_PATTERNS = {
    IdKind.PASSPORT: r"[A-Z0-9]{5,20}",
    IdKind.HK_MACAU: r"[HM]\d{8}(\d{2})?",
    IdKind.TAIWAN: r"\d{8}|\d{10}[A-Z]?",
    IdKind.FOREIGN: r"[A-Z]{3}\d{12}|9\d{16}[0-9X]",
}


@dataclass(frozen=True)
class Identity:
    """Who a person is. `phones` are normalised; `id_number` is in the form of its kind."""

    name: str
    id_kind: str = ""
    id_number: str = ""
    phones: tuple[str, ...] = ()
    birth_date: str = ""
    address: str = ""
    ethnicity: str = ""

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
    name = " ".join(half_width(name).split())
    if not name:
        raise Refusal(_("请填写姓名。"), code="identity.name")
    kind, number = id_read(id_kind, id_number)
    numbers = phones_read(phones)
    born = birth_date.strip()
    if kind in {IdKind.RESIDENT, IdKind.HMT_RESIDENCE}:
        on_card = ric.get_birth_date(number).isoformat()
        if born and born != on_card:
            raise Refusal(
                _("出生日期%(given)s与身份证号上的%(card)s不一致。") % {"given": born, "card": on_card},
                code="identity.birth_date",
            )
        born = on_card
    if born:
        try:
            if not dt.date(1900, 1, 1) <= dt.date.fromisoformat(born) <= clock.today():
                raise ValueError
        except ValueError as error:
            raise Refusal(
                _("出生日期“%(date)s”不对，应为过去的日期，如 1990-05-08。") % {"date": born},
                code="identity.birth_date",
            ) from error
    return Identity(name, kind, number, numbers, born, half_width(address).strip(), ethnicity.strip())


def id_read(kind: str, number: str) -> tuple[str, str]:
    """A document's kind and normalised number; a fifteen-digit resident number is brought to eighteen.

    Raises:
        Refusal: unknown kind, wrong form, wrong check character.
    """
    number = re.sub(r"[\s\-()（）]", "", half_width(number)).upper()
    if not number:
        return "", ""
    kind = kind or IdKind.RESIDENT
    if kind not in IdKind.values:
        raise Refusal(_("没有“%(kind)s”这种证件。") % {"kind": kind}, code="identity.id_kind")
    if kind in {IdKind.RESIDENT, IdKind.HMT_RESIDENCE}:
        zeros = re.fullmatch(r"\d{15}000", number) and ric.calc_check_digit(number) != number[-1]
        if zeros or re.fullmatch(r"\d(\.\d+)?E\+?\d+", number):
            raise Refusal(
                _("身份证号“%(number)s”像是被表格软件改成了科学计数，后几位已丢失，请按原件重填。")
                % {"number": number},
                code="identity.id_damaged",
            )
        if re.fullmatch(r"\d{15}", number):
            number = _fifteen(number)
        if not re.fullmatch(r"\d{17}[\dX]", number):
            raise Refusal(
                _("身份证号“%(number)s”应为18位。") % {"number": mask_middle(number, 4, 4)}, code="identity.id_form"
            )
        if ric.calc_check_digit(number) != number[-1]:
            raise Refusal(
                _("身份证号“%(number)s”的校验位不对，请核对原件。") % {"number": mask_middle(number, 4, 4)},
                code="identity.id_check",
            )
        try:
            if ric.get_birth_date(number) > clock.today():
                raise ValueError
        except (ValueError, ric.InvalidComponent) as error:
            raise Refusal(
                _("身份证号“%(number)s”里的出生日期不存在。") % {"number": mask_middle(number, 4, 4)},
                code="identity.id_date",
            ) from error
    elif not re.fullmatch(_PATTERNS[IdKind(kind)], number):
        raise Refusal(
            _("“%(number)s”不是%(kind)s的号码。") % {"number": mask_middle(number, 2, 2), "kind": IdKind(kind).label},
            code="identity.id_form",
        )
    return kind, number


def _fifteen(number: str) -> str:
    """A fifteen-digit resident number of before 1999 as its eighteen-digit successor (GB 11643-1999)."""
    longer = f"{number[:6]}19{number[6:]}"
    return longer + ric.calc_check_digit(longer + "0")


def phones_read(phones: str | list[str]) -> tuple[str, ...]:
    """Telephone numbers out of a cell that may hold several, normalised: mobiles to eleven digits.

    Raises:
        Refusal: something is no telephone number.
    """
    parts = phones if isinstance(phones, list) else re.split(r"[,，;；、/\n]|\s{2,}|(?<=\d{11})\s", half_width(phones))
    found: list[str] = []
    for part in parts:
        compact = re.sub(r"[\s\-.()（）]", "", half_width(part))
        if not compact:
            continue
        compact = re.sub(r"^(\+86|0086|86(?=1[3-9]\d{9}$))", "", compact)
        if not re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}|\d{7,8}|\+\d{6,15}", compact):
            raise Refusal(
                _("“%(phone)s”不是电话号码；手机为11位，座机带区号，境外号码以+开头。") % {"phone": part.strip()},
                code="identity.phone",
            )
        found.append(compact)
    return tuple(dict.fromkeys(found))


def name_key(name: str) -> str:
    """A name for exact comparison: half-width, without blanks and middle dots, case folded."""
    return re.sub(r"[\s·•.・]", "", half_width(name)).casefold()


def pinyin_of(name: str) -> list[str]:
    """The syllables of a Chinese name without tones, surname as surname; empty for a name in another script."""
    key = name_key(name)
    if not re.fullmatch(r"[\u3400-\u9fff\U00020000-\U0003ffff]+", key):
        return []
    syllables = lazy_pinyin(key, style=Style.NORMAL)
    if key[0] in _SURNAMES and len(syllables) == len(key):
        syllables[0] = "".join(
            c for c in unicodedata.normalize("NFD", _SURNAMES[key[0]]) if not unicodedata.combining(c)
        )
    return syllables


def mask_name(name: str) -> str:
    """张三丰 → 张*丰, 张三 → 张*; a name in another script keeps its first letter."""
    if len(name) <= 1:
        return "*"
    if not pinyin_of(name):
        return f"{name[0]}***"
    return name[0] + "*" * (1 if len(name) == 2 else len(name) - 2) + (name[-1] if len(name) > 2 else "")


def mask_middle(text: str, head: int, tail: int) -> str:
    """The ends of a number with stars between; all stars where nothing would be left to hide."""
    if len(text) <= head + tail:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


def query_tokens(text: str) -> list[tuple[str, str]]:
    """What a person typed into the search box, as the tokens it may mean."""
    text = half_width(text).strip()
    compact = re.sub(r"[\s\-]", "", text).upper()
    tokens: list[tuple[str, Any]] = []
    if re.fullmatch(r"\d{4}", compact):
        tokens.append(("phone4", compact))
    elif re.fullmatch(r"\+?\d{7,15}", compact) and len(compact) != 15:
        tokens.append(("phone", re.sub(r"^(\+86|0086)", "", compact)))
    if re.fullmatch(r"\d{15}", compact):
        compact = _fifteen(compact)
    if re.fullmatch(r"\d{17}[\dX]", compact):
        tokens += [("id", f"{kind}:{compact}") for kind in (IdKind.RESIDENT, IdKind.HMT_RESIDENCE, IdKind.FOREIGN)]
    elif re.fullmatch(r"[A-Z]{1,3}\d{5,}[A-Z0-9]*|\d{8,11}[A-Z]?", compact):
        tokens += [
            ("id", f"{kind}:{compact}") for kind in (IdKind.PASSPORT, IdKind.HK_MACAU, IdKind.TAIWAN, IdKind.FOREIGN)
        ]
    if pinyin_of(text):
        tokens.append(("name", name_key(text)))
    elif re.fullmatch(r"[A-Za-zÀ-ÿ' .·]+", text):
        key = name_key(text).replace("'", "")
        tokens += [("name", name_key(text)), ("pinyin", key), ("initials", key)]
    return tokens
