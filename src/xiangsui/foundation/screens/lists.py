"""The list every room shows its rows with: filters, sorting on indexed columns, keyset pages, Excel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views import View

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.pagination import keyset_page

from .access import check
from .exports import MAX_ROWS, workbook, xlsx_response


@dataclass(frozen=True)
class Column:
    """A column: its heading, what a row shows in it, and the indexed column it sorts by (none: it does not sort)."""

    label: Any
    value: Callable[[Any], Any]
    sort: str = ""
    link: Callable[[Any], str] | None = None
    # A template drawing the cell from `row`; exports take `value`.
    template: str = ""
    numeric: bool = False


class ListPage(View):
    """A list of one model's rows. A room gives title, columns, filter form, permission and a scoped selector."""

    title: ClassVar[Any] = ""
    columns: ClassVar[Sequence[Column]] = ()
    default_sort: ClassVar[str] = "-pk"
    filter_form: ClassVar[type[forms.Form] | None] = None
    template_name: ClassVar[str] = "screens/list.html"
    export_name: ClassVar[Any] = ""
    empty_title: ClassVar[Any] = ""
    empty_hint: ClassVar[Any] = ""

    @staticmethod
    def allowed(assignment: Assignment) -> bool:
        """Whether this assignment may open the list. Rooms override it."""
        raise NotImplementedError

    def rows(self, request: WorkRequest, filters: dict[str, Any]) -> QuerySet[Any]:
        """The scoped, filtered rows: a selector's answer. Rooms override it."""
        raise NotImplementedError

    def dispatch(self, request: WorkRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return check(request, self.allowed) or super().dispatch(request, *args, **kwargs)

    def context(self, request: WorkRequest) -> dict[str, Any]:
        """More for the template; rooms extend it."""
        return {}

    def get(self, request: WorkRequest) -> HttpResponse:
        form = self.filter_form(request.GET) if self.filter_form else None
        filters = (
            {k: v for k, v in form.cleaned_data.items() if v not in (None, "")} if form and form.is_valid() else {}
        )
        # A filter that does not hold is shown beside its field, and the list stays empty rather than wrongly full.
        broken = form is not None and not form.is_valid()
        rows = self.rows(request, filters)
        if broken:
            rows = rows.none()
        sort = self._sort(request)
        if request.GET.get("export") == "xlsx":
            return self._export(rows, sort)
        page = keyset_page(rows, order=sort, cursor=request.GET.get("page"))
        context = {
            "title": self.title,
            "form": form,
            "page": page,
            "headings": [self._heading(request, column, sort) for column in self.columns],
            "table": [self._cells(row) for row in page.rows],
            "filtered": bool(filters) or broken,
            "previous_url": self._url(request, page=page.previous) if page.previous else "",
            "next_url": self._url(request, page=page.next) if page.next else "",
            "export_url": self._url(request, export="xlsx"),
            "empty_title": self.empty_title or _("这里还没有内容"),
            "empty_hint": self.empty_hint,
            **self.context(request),
        }
        return TemplateResponse(request, self.template_name, context)

    def _sort(self, request: WorkRequest) -> str:
        wanted = request.GET.get("sort", "")
        known = {column.sort for column in self.columns if column.sort}
        return wanted if wanted.lstrip("-") in known else self.default_sort

    @staticmethod
    def _url(request: WorkRequest, **changes: str | None) -> str:
        query = {key: value for key, value in request.GET.items() if key not in {"page", "export"} and value}
        return "?" + urlencode({**query, **{k: v for k, v in changes.items() if v}})

    def _heading(self, request: WorkRequest, column: Column, sort: str) -> dict[str, Any]:
        direction = ""
        if column.sort and sort.lstrip("-") == column.sort:
            direction = "descending" if sort.startswith("-") else "ascending"
        flipped = f"-{column.sort}" if direction == "ascending" else column.sort
        return {
            "label": column.label,
            "url": self._url(request, sort=flipped) if column.sort else "",
            "direction": direction,
            "numeric": column.numeric,
        }

    def _cells(self, row: Model) -> dict[str, Any]:
        return {
            "row": row,
            "cells": [
                {
                    "label": column.label,
                    "value": value,
                    "short": isinstance(value, dt.date | int),
                    "wide": len(str(value or "")) > 10,
                    "link": column.link(row) if column.link else "",
                    "template": column.template,
                    "numeric": column.numeric,
                }
                for column in self.columns
                for value in [column.value(row)]
            ],
        }

    def _export(self, rows: QuerySet[Any], sort: str) -> HttpResponse:
        if rows.order_by()[: MAX_ROWS + 1].count() > MAX_ROWS:
            raise Refusal(
                _("超过 %(limit)s 行，不能直接导出。请先缩小筛选范围。") % {"limit": f"{MAX_ROWS:,}"},
                code="export.too_long",
            )
        name = str(self.export_name or self.title)
        content = workbook(
            name,
            [str(column.label) for column in self.columns],
            ([column.value(row) for column in self.columns] for row in rows.order_by(sort, "pk")[:MAX_ROWS]),
        )
        return xlsx_response(content, f"{name}-{clock.today():%Y%m%d}")
