"""Identity documents: their kinds and the forms of their numbers."""

from __future__ import annotations

import contextlib
import datetime as dt
import re

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from stdnum.cn import ric

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal

from .text import mask_middle, visible


class IdKind(models.TextChoices):
    """Kinds of identity documents (domain.md §0)."""

    RESIDENT = "resident", gettext_lazy("居民身份证")
    PASSPORT = "passport", gettext_lazy("护照")
    HK_MACAU = "hk_macau", gettext_lazy("港澳居民来往内地通行证")
    TAIWAN = "taiwan", gettext_lazy("台湾居民来往大陆通行证")
    HMT_RESIDENCE = "hmt_residence", gettext_lazy("港澳台居民居住证")
    FOREIGN = "foreign", gettext_lazy("外国人永久居留身份证")


# [0-9], not \d: the digits of other scripts are digits to \d too.
_PATTERNS = {
    IdKind.PASSPORT: r"[A-Z0-9]{5,20}",
    IdKind.HK_MACAU: r"[HM][0-9]{8}([0-9]{2})?",
    IdKind.TAIWAN: r"[0-9]{8}|[0-9]{10}[A-Z]?",
    IdKind.FOREIGN: r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]",
}


def id_read(kind: str, number: str) -> tuple[str, str]:
    """A document's kind and normalised number; a fifteen-digit resident number is brought to eighteen.

    Raises:
        Refusal: unknown kind, wrong form, wrong check character.
    """
    number = re.sub(r"[\s\-()']", "", visible(number)).upper()
    if not number:
        return "", ""
    kind = kind or IdKind.RESIDENT
    if kind not in IdKind.values:
        raise Refusal(_("没有“%(kind)s”这种证件。") % {"kind": kind}, code="identity.id_kind")
    if kind in {IdKind.RESIDENT, IdKind.HMT_RESIDENCE}:
        return kind, _resident(number)
    if not re.fullmatch(_PATTERNS[IdKind(kind)], number):
        raise Refusal(
            _("“%(number)s”不是%(kind)s的号码。") % {"number": mask_middle(number, 2, 2), "kind": IdKind(kind).label},
            code="identity.id_form",
        )
    return kind, number


def ids_meant(text: str) -> list[tuple[str, str]]:
    """Every document, by kind and number, whose number a typed text may be."""
    found = []
    for kind in IdKind:
        with contextlib.suppress(Refusal):
            found.append(id_read(kind, text))
    return [(kind, number) for kind, number in found if re.search("[0-9]", number)]


def birth_date_of(number: str) -> dt.date:
    """The day of birth that a resident number of `id_read` tells."""
    return ric.get_birth_date(number)


def _resident(number: str) -> str:
    """A resident number of eighteen characters.

    Raises:
        Refusal: damaged, wrong form, check character or date.
    """
    number = re.sub(r"(?<=^[0-9]{15})\.0$", "", number)
    zeros = re.fullmatch(r"[0-9]{15}000", number) and ric.calc_check_digit(number) != number[-1]
    if zeros or re.fullmatch(r"[0-9](\.[0-9]+)?E\+?[0-9]+", number):
        raise Refusal(
            _("身份证号“%(number)s”像是被表格软件改成了科学计数，后几位已丢失，请按原件重填。") % {"number": number},
            code="identity.id_damaged",
        )
    if re.fullmatch(r"[0-9]{15}", number):
        # Before 1999: without the century and the check character (GB 11643-1999).
        number = f"{number[:6]}19{number[6:]}"
        number += ric.calc_check_digit(number + "0")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
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
    return number
