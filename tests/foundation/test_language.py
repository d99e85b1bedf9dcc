"""The English catalogue is complete, up to date, and says the same with the same values."""

import re

import pytest
from babel.messages.pofile import read_po

from xiangsui.foundation.kit import messages

VALUE = re.compile(r"%\(\w+\)[a-z]|%[a-z%]")
CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


@pytest.fixture(scope="module")
def catalogue():
    with messages.CATALOGUE.open("rb") as file:
        return read_po(file, locale="en", domain="django")


def forms(text):
    return list(text) if isinstance(text, tuple | list) else [text or ""]


def test_nothing_is_empty_or_fuzzy(catalogue):
    assert len(catalogue) > 400
    assert messages.untranslated(catalogue) == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_every_string_of_the_sources_is_in_it_and_nothing_else(catalogue):
    """`python3 dev messages` brings it up to date."""
    wanted = {(message.id, message.context) for message in messages.collect() if message.id}
    assert {(message.id, message.context) for message in catalogue if message.id} == wanted


def test_both_languages_name_the_same_values(catalogue):
    for message in catalogue:
        if message.id:
            wanted = set(VALUE.findall(forms(message.id)[-1]))
            for form in forms(message.string):
                assert set(VALUE.findall(form)) == wanted, message.id


def test_the_english_is_english(catalogue):
    for message in catalogue:
        if message.id:
            for form in forms(message.string):
                assert not CHINESE.search(form), message.id
                assert "  " not in form, message.id
                # A full stop where there is one, so that sentences can stand side by side.
                if len(form) > 40:
                    ends = forms(message.id)[-1].rstrip("”）").endswith("。")
                    assert form.rstrip("”)").endswith((".", "%(message)s")) or not ends, message.id
