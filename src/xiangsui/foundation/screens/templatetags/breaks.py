"""Where a long expression without blanks may break."""

import re

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()
_AFTER = re.compile(r"(?<=[+/|~^])")


@register.filter
def breakable(text: object) -> SafeString:
    """A GL String whose lines end after a delimiter, never within an allele."""
    return format_html_join("", "{}<wbr>", ((part,) for part in _AFTER.split(str(text or "")) if part))
