"""A search's answer as people read it: lines, pages, explanations, Excel."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.pagination import total_text
from xiangsui.foundation.screens.exports import MAX_ROWS, workbook, xlsx_response
from xiangsui.programme.donors.selectors import SearchCard, search_cards
from xiangsui.programme.hla import explain
from xiangsui.programme.hla.selectors import FREQUENCY_NOTICE, Answer, category_of, search_donors, subject_of

from .models import SearchRequest

PAGE_SIZE = 50


def moment(at: dt.datetime) -> str:
    """A moment as lists show it, Beijing time."""
    return f"{at.astimezone(clock.BEIJING):%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Line:
    """One donor of the list: what the engine found and the donor's card (None: gone from the register meanwhile)."""

    rank: int
    hit: Any
    card: SearchCard | None

    @property
    def subject(self) -> uuid.UUID:
        return subject_of(self.hit)

    @property
    def count_text(self) -> str:
        """Possible count out of ten: `10`, or `8–10` where a typing leaves it open."""
        low, high = self.hit.count_min, self.hit.count_max
        return str(high) if low == high else f"{low}–{high}"

    @property
    def loci(self) -> list[explain.LocusView]:
        return explain.loci_of(self.hit)

    @property
    def sentences(self) -> list[str]:
        return explain.sentences(self.hit)

    @property
    def p_10(self) -> str:
        return explain.probability_text(self.hit.p_10)

    @property
    def p_9(self) -> str:
        return explain.probability_text(self.hit.p_9)

    @property
    def reason(self) -> str:
        return explain.reason_text(self.hit)


def _tabs() -> dict[str, str]:
    return {"": _("全部"), "ten": _("可能10/10"), "nine": _("至多9/10"), "unexplained": _("无概率")}


@dataclass(frozen=True)
class Listing:
    """One page of an answer, filtered by a tab."""

    answer: Answer
    tab: str
    page: int
    chosen: Sequence[tuple[int, Any]]
    lines: list[Line]

    @classmethod
    def of(cls, stored: SearchRequest, query: Mapping[str, str]) -> Listing:
        """The page that a query string asks for; an odd tab or page number falls back to the first."""
        answer = search_donors(gl=stored.gl)
        tab = query.get("tab", "")
        tab = tab if tab in _tabs() else ""
        chosen = [(rank, hit) for rank, hit in enumerate(answer.hits, 1) if not tab or category_of(hit) == tab]
        pages = max(1, -(-len(chosen) // PAGE_SIZE))
        wanted = query.get("page", "1")
        page = min(max(1, int(wanted)), pages) if wanted.isdecimal() and len(wanted) < 9 else 1
        return cls(answer, tab, page, chosen, _lines(chosen[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]))

    @property
    def total_text(self) -> str:
        return total_text(len(self.chosen))

    @property
    def tabs(self) -> list[dict[str, Any]]:
        return [
            {
                "label": label,
                "url": "?" + urlencode({"tab": tab}) if tab else "?",
                "active": tab == self.tab,
                "count": total_text(len(self.answer.hits) if not tab else self.answer.count(tab)),
            }
            for tab, label in _tabs().items()
        ]

    def _url(self, page: int) -> str:
        return "?" + urlencode({"tab": self.tab, "page": page})

    @property
    def previous_url(self) -> str:
        return self._url(self.page - 1) if self.page > 1 else ""

    @property
    def next_url(self) -> str:
        return self._url(self.page + 1) if self.page * PAGE_SIZE < len(self.chosen) else ""

    @property
    def export_url(self) -> str:
        return "?" + urlencode({"tab": self.tab, "export": "xlsx"})

    @property
    def notice(self) -> Any:
        return FREQUENCY_NOTICE


def _lines(chosen: Sequence[tuple[int, Any]]) -> list[Line]:
    cards = search_cards([subject_of(hit) for _rank, hit in chosen])
    return [Line(rank, hit, cards.get(subject_of(hit))) for rank, hit in chosen]


def line_of(stored: SearchRequest, subject: uuid.UUID) -> Line:
    """One donor's line of a request.

    Raises:
        Http404: the donor is not among the hits.
    """
    wanted = str(subject)
    for rank, hit in enumerate(search_donors(gl=stored.gl).hits, 1):
        if hit.donor == wanted:
            return _lines([(rank, hit)])[0]
    raise Http404


def export(stored: SearchRequest, listing: Listing) -> HttpResponse:
    """All lines of the chosen tab as Excel.

    Raises:
        Refusal: more than 100,000 lines.
    """
    if len(listing.chosen) > MAX_ROWS:
        raise Refusal(
            _("超过 %(limit)s 行，不能直接导出。请先缩小筛选范围。") % {"limit": f"{MAX_ROWS:,}"},
            code="export.too_long",
        )
    loci = explain.LOCI
    header = [
        _("序号"),
        "GRID",
        _("可能相合数（最少）"),
        _("可能相合数（最多）"),
        _("已分型位点数"),
        "P(10/10)",
        "P(9/10)",
        _("年龄"),
        _("性别"),
        _("ABO血型"),
        _("状态"),
        *(f"HLA-{locus}" for locus in loci),
        _("说明"),
    ]
    rows = (
        [
            line.rank,
            line.card.grid if line.card else "",
            line.hit.count_min,
            line.hit.count_max,
            line.hit.typed_loci,
            line.hit.p_10,
            line.hit.p_9,
            line.card.age if line.card else "",
            line.card.sex_label if line.card else "",
            line.card.abo if line.card else "",
            line.card.status_label if line.card else "",
            *(view.donor_text for view in line.loci),
            " ".join(line.sentences),
        ]
        for line in _lines(listing.chosen)
    )
    versions = listing.answer.versions
    notes = [
        _("院内编号：%(reference)s") % {"reference": stored.reference},
        _("患者分型：%(gl)s") % {"gl": stored.gl},
        _("频率集：%(set)s；命名版本：%(nomenclature)s；索引：%(index)s；检索时间：%(at)s")
        % {
            "set": versions["frequency_set"],
            "nomenclature": versions["nomenclature"],
            "index": versions["index"],
            "at": moment(clock.now()),
        },
        str(FREQUENCY_NOTICE),
    ]
    name = _("匹配结果-%(reference)s") % {"reference": stored.reference}
    return xlsx_response(workbook(_("匹配结果"), header, rows, notes=notes), f"{name}-{clock.today():%Y%m%d}")
