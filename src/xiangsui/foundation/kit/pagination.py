"""Keyset pages: the next page starts after a row, not after a number, so that page 10,000 costs what page 1 does."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext as _

from .errors import Refusal

Row = TypeVar("Row", bound=Model)
COUNT_LIMIT = 10_000
MAX_PAGE = 200


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of rows with the cursors of its neighbours; `total` counts to `COUNT_LIMIT` + 1 at the most."""

    rows: list[Row]
    previous: str | None
    next: str | None
    total: int

    @property
    def total_text(self) -> str:
        """The count as it is shown: exact up to 10,000, then `10,000+`."""
        return total_text(self.total)


def total_text(total: int) -> str:
    """A count as every list shows it: exact to 10,000, then `10,000+`."""
    return f"{COUNT_LIMIT:,}+" if total > COUNT_LIMIT else f"{total:,}"


def _encode(direction: str, column: str, values: list[Any]) -> str:
    text = json.dumps([direction, column, *(str(value) for value in values)], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, model: type[Model], column: str) -> tuple[str, list[Any]]:
    """Direction and the two values of a cursor, as the columns' own types.

    Raises:
        Refusal: it was not made by `_encode` for this column.
    """
    try:
        direction, made_for, *texts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if direction not in {"n", "p"} or made_for != column or not all(isinstance(text, str) for text in texts):
            raise ValueError
        after, key = texts
        return direction, [_field(model, column).to_python(after), model._meta.pk.to_python(key)]
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise Refusal(_("这个分页地址不完整，请从列表的第一页重新进入。"), code="page.cursor") from error


def _field(model: type[Model], column: str) -> Any:
    *path, name = column.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]
    return model._meta.get_field(name) if name != "pk" else model._meta.pk


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def keyset_page(queryset: QuerySet[Row], *, order: str, cursor: str | None, size: int = 50) -> Page[Row]:
    """One page of `queryset`, ordered by `order` (a non-null column, `-` for descending) and then the primary key.

    Args:
        cursor: what an earlier page gave as `next` or `previous`; None for the first page.
        size: rows a page, cut to `MAX_PAGE`.

    Raises:
        Refusal: the cursor was not made here.
    """
    size = max(1, min(size, MAX_PAGE))
    column, descending = order.lstrip("-"), order.startswith("-")
    direction, after = _decode(cursor, queryset.model, column) if cursor else ("n", [])
    total = queryset.order_by()[: COUNT_LIMIT + 1].count()
    backwards = direction == "p"
    down = descending != backwards
    window = queryset.order_by(F(column).desc() if down else F(column).asc(), F("pk").desc() if down else F("pk").asc())
    if after:
        step = "lt" if down else "gt"
        # The first condition alone lets a database walk one index; the second cuts off the ties.
        window = window.filter(
            Q(**{f"{column}__{step}e": after[0]})
            & (Q(**{f"{column}__{step}": after[0]}) | Q(**{f"pk__{step}": after[1]}))
        )
    rows = list(window[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    edge = {key: [_value(row, column), row.pk] for key, row in (("p", rows[0]), ("n", rows[-1]))} if rows else {}
    has_previous, has_next = (more, True) if backwards else (bool(after), more)
    return Page(
        rows=rows,
        previous=_encode("p", column, edge["p"]) if edge and has_previous else None,
        next=_encode("n", column, edge["n"]) if edge and has_next else None,
        total=total,
    )
