"""The sign-in page of a demonstration names its accounts; no other site does."""

import re

import pytest
from django.test import Client

from xiangsui.faces.demo.world import PASSWORD, SIGN_INS, world_open


def page():
    return Client().get("/accounts/login/")


@pytest.fixture
def demonstration(db, settings):
    settings.DEMO_ALLOWED = True
    world_open()


def test_every_account_stands_there_once_under_its_role(demonstration):
    groups = page().context["demo_sign_ins"]
    assert len({group["label"] for group in groups}) == len(groups)
    assert sorted(one["username"] for group in groups for one in group["accounts"]) == sorted(
        who.username for who in SIGN_INS
    )
    html = page().content.decode()
    assert set(re.findall(r'data-x-fill="(\w+)"', html)) == {who.username for who in SIGN_INS}


def test_what_is_filled_in_signs_in(demonstration):
    client = Client()
    for who in SIGN_INS:
        answer = client.post("/accounts/login/", {"login": who.username, "password": PASSWORD})
        assert answer.status_code == 302, who.username


def test_a_production_site_shows_none(demonstration, settings):
    settings.DEMO_ALLOWED = False
    assert page().context["demo_sign_ins"] == []
    assert PASSWORD not in page().content.decode()


def test_without_a_demonstration_there_is_nothing_to_show(db, settings):
    settings.DEMO_ALLOWED = True
    html = page().content.decode()
    assert "data-x-fill" not in html
    assert PASSWORD not in html
