"""Excel out: what went in comes back, and no cell becomes a formula."""

import datetime as dt
import io

import pytest
from python_calamine import CalamineWorkbook

from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.screens import exports


def read(content):
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    [name] = book.sheet_names
    return name, book.get_sheet_by_index(0).to_python(skip_empty_area=False)


FORMULA_LIKE = [
    "=1+1",
    "+86138",
    "-1",
    "@SUM(A1)",
    '=HYPERLINK("http://x")',
    "\t=1",
    "http://example.org",
    "007",
    "1e5",
]


@pytest.mark.parametrize("text", FORMULA_LIKE)
def test_text_stays_text(text):
    _name, rows = read(exports.workbook("表", ["值"], [[text]]))
    assert rows[1] == [text]
    content = exports.workbook("表", ["值"], [[text]])
    import zipfile

    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


def test_kinds_of_values_come_back():
    row = ["张", 3, 0.25, True, False, None, "", dt.date(2026, 3, 1), 0]
    _name, rows = read(exports.workbook("表", [str(n) for n in range(9)], [row], notes=["说明一", "说明二"]))
    assert rows[0][0] == "说明一"
    assert rows[3] == ["张", 3.0, 0.25, "是", "否", "", "", "2026-03-01", 0.0]


def test_a_sheet_name_that_excel_refuses_is_mended():
    name, _rows = read(exports.workbook("一/二[三]:四*五?六\\七" + "长" * 40, ["值"], [[1]]))
    assert len(name) <= 31
    assert not set(name) & set("[]:*?/\\")


def test_an_empty_list_is_a_sheet_with_a_header():
    _name, rows = read(exports.workbook("表", ["甲", "乙"], []))
    assert rows == [["甲", "乙"]]


def test_too_many_rows_are_refused_and_never_cut(monkeypatch):
    monkeypatch.setattr(exports, "MAX_ROWS", 3)
    exports.workbook("表", ["值"], [[1]] * 3)
    with pytest.raises(Refusal) as caught:
        exports.workbook("表", ["值"], [[1]] * 4)
    assert caught.value.code == "export.too_long"


def test_a_cell_longer_than_excel_holds_is_not_lost():
    """Excel holds 32,767 characters in a cell: a longer value is cut and says so, or refused; never dropped."""
    try:
        _name, rows = read(exports.workbook("表", ["值"], [["长" * 40_000]]))
    except Refusal:
        return
    assert len(rows) == 2
    assert str(rows[1][0]).startswith("长")


def test_downloads_are_named_in_chinese_and_kept_nowhere():
    answer = exports.xlsx_response(b"x", '匹配结果-甲/乙;"\r\nX: y')
    assert answer["Cache-Control"] == "no-store"
    assert "\n" not in answer["Content-Disposition"]
    assert answer["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%8C%B9")
    assert answer["Content-Disposition"].endswith(".xlsx")
