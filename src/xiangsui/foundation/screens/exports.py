"""Excel out: the same columns as the list on screen, safe to open, never silently cut."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter
from django.http import HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _

from xiangsui.foundation.kit.errors import Refusal

MAX_ROWS = 100_000


def workbook(sheet: str, header: Sequence[str], rows: Iterable[Sequence[Any]], *, notes: Sequence[str] = ()) -> bytes:
    """An .xlsx with one sheet: notes, a frozen header, rows.

    Text is written as text, so that a cell beginning with `=`, `+`, `-` or `@` stays a value in every program.

    Raises:
        Refusal: more than 100,000 rows.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    ) as book:
        page = book.add_worksheet(re.sub(r"[\[\]:*?/\\]", " ", sheet)[:31])
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        grey = book.add_format({"font_color": "#555555"})
        for line, note in enumerate(notes):
            page.write_string(line, 0, note, grey)
        top = len(notes)
        widths = [len(title) * 2 for title in header]
        for column, title in enumerate(header):
            page.write_string(top, column, title, bold)
        count = 0
        for count, row in enumerate(rows, 1):
            if count > MAX_ROWS:
                raise Refusal(
                    _("超过 %(limit)s 行，不能直接导出。请先缩小筛选范围。") % {"limit": f"{MAX_ROWS:,}"},
                    code="export.too_long",
                )
            for column, value in enumerate(row):
                if value is None or value == "":
                    page.write_blank(top + count, column, None)
                elif isinstance(value, bool):
                    page.write_string(top + count, column, _("是") if value else _("否"))
                elif isinstance(value, int | float):
                    page.write_number(top + count, column, value)
                else:
                    page.write_string(top + count, column, str(value))
                if count <= 200:
                    widths[column] = max(widths[column], len(str(value or "")))
        for column, width in enumerate(widths):
            page.set_column(column, column, min(60, width + 3))
        page.freeze_panes(top + 1, 0)
        if count:
            page.autofilter(top, 0, top + count, len(header) - 1)
    return out.getvalue()


def xlsx_response(content: bytes, name: str) -> HttpResponse:
    """A download of a workbook with a (Chinese) file name."""
    response = HttpResponse(content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{escape_uri_path(name)}.xlsx"
    response["Cache-Control"] = "no-store"
    return response
