"""Collecting strings: code and templates, contexts and plurals; translations are kept, blanks are found."""

from babel.messages.pofile import read_po

from xiangsui.foundation.kit import messages

CODE = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext
A = _("登记")
B = gettext_lazy("共 %(n)s 人")
C = ngettext("一位", "%d 位", 2)
D = pgettext("月份", "五月")
E = "不译"
"""
PAGE = """{% load i18n %}<h1>{% translate "检索" %}</h1>{{ "不译" }}{{ _("结果") }}
{% blocktranslate count n=rows %}一行{% plural %}{{ n }} 行{% endblocktranslate %}
<c-button label="{% translate '导出' %}">不译</c-button>"""


def _package(tmp_path):
    package = tmp_path / "xiangsui"
    (package / "room" / "templates" / "room").mkdir(parents=True)
    (package / "room" / "migrations").mkdir()
    (package / "room" / "views.py").write_text(CODE, encoding="utf-8")
    (package / "room" / "migrations" / "0001.py").write_text('_("迁移")', encoding="utf-8")
    (package / "room" / "templates" / "room" / "page.html").write_text(PAGE, encoding="utf-8")
    return package


def test_everything_marked_is_collected_and_nothing_else(tmp_path):
    found = {(message.id, message.context) for message in messages.collect(_package(tmp_path)) if message.id}
    assert found == {
        ("登记", None), ("共 %(n)s 人", None), (("一位", "%d 位"), None), ("五月", "月份"), ("检索", None),
        ("结果", None), (("一行", "%(n)s 行"), None), ("导出", None),
    }  # fmt: skip


def test_translations_are_kept_and_what_is_gone_goes(tmp_path):
    package, path = _package(tmp_path), tmp_path / "django.po"
    _, text = messages.renewed(path, package)
    path.write_bytes(text.replace('msgid "登记"\nmsgstr ""'.encode(), 'msgid "登记"\nmsgstr "Register"'.encode()))
    (package / "room" / "templates" / "room" / "page.html").unlink()
    catalogue, again = messages.renewed(path, package)
    assert catalogue["登记"].string == "Register"
    assert "检索" not in again.decode()
    assert set(messages.untranslated(catalogue)) == {"共 %(n)s 人", "一位", "五月"}
    path.write_bytes(again)
    assert messages.renewed(path, package)[1] == again
    with path.open("rb") as file:
        assert not read_po(file).fuzzy
