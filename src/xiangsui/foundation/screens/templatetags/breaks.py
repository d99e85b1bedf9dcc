"""Where a long expression without blanks may break, and what stands between the words of a list."""

import re
from collections.abc import Iterable

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

register = template.Library()
_AFTER = re.compile(r"(?<=[+/|~^])")


@register.filter
def breakable(text: object) -> SafeString:
    """A GL String whose lines end after a delimiter, never within an allele."""
    return format_html_join("", "{}<wbr>", ((part,) for part in _AFTER.split(str(text or "")) if part))


@register.filter
def listed(words: Iterable[object] | None) -> str:
    """Words in a row, with the comma of the reader's language."""
    return pgettext("between words of a list", "、").join(str(word) for word in words or ())
