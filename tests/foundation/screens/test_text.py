"""Long expressions break where they may; words in a row have the reader's comma."""

from django.utils import translation

from xiangsui.foundation.screens.templatetags.breaks import as_written, breakable, listed


def test_a_gl_string_breaks_after_its_delimiters_only():
    text = "A*02:01/A*02:06+A*11:01^B*40:01"
    html = breakable(text)
    assert html.replace("<wbr>", "") == text
    assert html.split("<wbr>") == ["A*02:01/", "A*02:06+", "A*11:01^", "B*40:01", ""]
    assert breakable(None) == ""


def test_what_is_broken_is_still_escaped():
    assert "<b>" not in breakable("<b>+<i>")


def test_lists_have_the_comma_of_their_language():
    assert listed(["A", "B"]) == "A、B"
    with translation.override("en"):
        assert listed(["A", "B"]) == "A, B"
    assert listed(None) == ""


def test_cited_text_says_which_language_it_is_in():
    assert as_written("WMDA sheet") == "WMDA sheet"
    assert as_written("献血要求 <1>") == '<span lang="zh-Hans">献血要求 &lt;1&gt;</span>'
    assert as_written("") == ""
