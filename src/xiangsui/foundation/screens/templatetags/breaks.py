"""How text is set: where a long expression may break, what stands between words, which language it is in."""

import re
from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

register = template.Library()
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_AFTER = re.compile(r"(?<=[+/|~^])")


@register.filter
def breakable(text: object) -> SafeString:
    """A GL String whose lines end after a delimiter, never within an allele."""
    return format_html_join("", "{}<wbr>", ((part,) for part in _AFTER.split(str(text or "")) if part))


@register.filter
def listed(words: Iterable[object] | None) -> str:
    """Words in a row, with the comma of the reader's language."""
    return pgettext("between words of a list", "、").join(str(word) for word in words or ())


@register.filter
def as_written(text: object) -> str | SafeString:
    """Text that is cited and not translated, marked as Chinese where it is, so that it is read out and set right."""
    written = str(text or "")
    return format_html('<span lang="zh-Hans">{}</span>', written) if _CHINESE.search(written) else written
