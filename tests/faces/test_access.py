"""Every address of the site, under every one of the cast: who gets a page, who is refused, who is sent to sign in."""

import re

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from support.world import CAST, donor_id

OFFICERS = {"alice", "bob"}
STAFF = {"paula", "quinn"}
COORDINATORS = {"carol", "dora", "erin"}
ALL = set(CAST)
RED_CROSS = ALL - COORDINATORS - {"nina"}  # nina works at a blood station
# name: (who gets the page, who is told it does not exist). Everybody else is refused.
TABLE = {
    "home": (ALL, set()),
    "jobs": (STAFF | {"adam"}, set()),
    "design": ({"adam"}, set()),
    "patients:list": (COORDINATORS | STAFF, set()),
    "patients:new": (COORDINATORS, set()),
    "patients:detail": ({"dora", "erin", "paula"}, {"carol", "quinn"}),
    "patients:explain": ({"dora", "erin", "paula"}, {"carol", "quinn"}),
    "donors:list": (OFFICERS | STAFF, set()),
    "donors:new": (OFFICERS | STAFF, set()),
    "donors:detail": ({"alice", "paula"}, {"bob", "quinn"}),
    "donors:typing": ({"alice", "paula"}, {"bob", "quinn"}),
    "donors:find": (OFFICERS | STAFF, set()),
    "donors:transfers": (OFFICERS | STAFF, set()),
    "donors:step": ({"alice", "paula"}, {"bob", "quinn"}),
    "donors:reveal": (set(), {"alice", "paula", "bob", "quinn"}),  # this donor is a pseudonym
    "donors:transfer": ({"alice", "paula"}, {"bob", "quinn"}),
    "donors:national": ({"alice", "paula"}, {"bob", "quinn"}),
    "office:rules": (RED_CROSS, set()),
    "office:rule": (RED_CROSS, set()),
    "office:workflows": (RED_CROSS, set()),
    "office:organisations": (RED_CROSS, set()),
    "office:organisation": ({"alice", "tess", "paula", "lena", "adam"}, {"bob", "quinn"}),
    "office:indicators": (OFFICERS | STAFF | {"lena", "adam"}, set()),
    "office:indicator": (OFFICERS | STAFF | {"lena", "adam"}, set()),
    "office:story": ({"alice", "paula", "adam"}, {"bob", "quinn"}),
}
# Open to visitors by intention, or answering to POST only.
OPEN = {"health", "account_login"}
POST_ONLY = {
    "switch_assignment",
    "set_language",
    "donors:consent",
    "donors:transfer_decide",
    "office:rule_confirm",
}


def address(name, world):
    arguments = {
        "patients:detail": [world.request.uuid],
        "patients:explain": [world.request.uuid, donor_id("exact")],
        "donors:detail": [donor_id("exact")],
        "donors:typing": [donor_id("exact")],
        "donors:step": [donor_id("exact"), "defer"],
        "donors:reveal": [donor_id("exact")],
        "donors:transfer": [donor_id("exact")],
        "donors:national": [donor_id("exact")],
        "office:rule": ["donor.join_age_max"],
        "office:organisation": [world.orgs["C1"].uuid],
        "office:indicator": ["donors.listed"],
        "office:story": [world.orgs["C1"].uuid],
    }
    return reverse(name, args=arguments.get(name, []))


def names(patterns=None, space=""):
    """Every named address of the site."""
    for pattern in patterns or get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from names(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield space + (pattern.name or f"unnamed {pattern.pattern}")


def test_every_address_stands_in_a_table_here():
    ours = {name for name in names() if not name.startswith("account_")}
    assert ours == set(TABLE) | (OPEN - {"account_login"}) | POST_ONLY


@pytest.mark.parametrize("name", TABLE)
def test_who_gets_the_page(sign_in, world, name):
    allowed, missing = TABLE[name]
    wrong = {}
    for who in CAST:
        expected = 200 if who in allowed else 404 if who in missing else 403
        got = sign_in(who).get(address(name, world)).status_code
        if got != expected:
            wrong[who] = (got, expected)
    assert not wrong


@pytest.mark.parametrize("name", TABLE)
def test_a_visitor_is_sent_to_sign_in_and_back(world, name):
    answer = Client().get(address(name, world))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert "next=" in answer["Location"]


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_open_no_other_door(sign_in, world, name, method):
    """Whoever may not get an address may not write to it either; nobody gets a fault."""
    allowed, _missing = TABLE[name]
    for who in (None, "alice", "carol", "nina", "adam"):
        answer = getattr(sign_in(who), method)(address(name, world))
        assert answer.status_code < 500
        if who is None:
            assert answer.status_code in {302, 405}
        elif who not in allowed:
            assert answer.status_code in {403, 404, 405}, (who, answer.status_code)


def test_a_form_without_its_token_is_refused_in_words(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.users["dora"], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(reverse("patients:new"), {"reference": "x", "gl": "A*02:01"})
    assert answer.status_code == 403
    assert "刷新" in answer.content.decode()


def test_not_found_and_not_yours_look_the_same(sign_in, world):
    """Otherwise an address guessed or copied tells that a record exists."""
    carol, alice = sign_in("carol"), sign_in("alice")

    def bare(answer):
        return answer.status_code, re.sub(
            r"[0-9a-f]{8}-[0-9a-f-]{27}|csrf\w*\"[^>]*|value=\"\w{64}\"|\"\w{64}\"", "", answer.content.decode()
        )

    missing = donor_id("no such thing")
    assert bare(carol.get(reverse("patients:detail", args=[world.request.uuid]))) == bare(
        carol.get(reverse("patients:detail", args=[missing]))
    )
    assert bare(alice.get(reverse("donors:detail", args=[donor_id("neighbour")]))) == bare(
        alice.get(reverse("donors:detail", args=[missing]))
    )


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/",
        "/donors/x/",
        "/donors/00000000-0000-0000-0000-00000000000g/",
        "/search/../etc",
        "/%00",
        "/admin/",
        "/static/../settings.py",
    ],
)
def test_addresses_that_are_not_there(sign_in, path):
    for who in (None, "alice"):
        answer = sign_in(who).get(path)
        assert answer.status_code == 404
        assert "没有这一页" in answer.content.decode()
        assert "Traceback" not in answer.content.decode()


def test_health_answers_anybody_and_tells_nothing(db):
    answer = Client().get(reverse("health"))
    assert answer.json() == {"status": "ok"}


def test_a_foreign_host_is_refused(db):
    assert Client().get("/", HTTP_HOST="evil.example").status_code == 400


# ---------------------------------------------------------------- the account pages of the library


def account_names():
    return sorted(name for name in set(names()) if name.startswith("account_"))


def account_address(name):
    try:
        return reverse(name)
    except Exception:
        arguments = {"account_confirm_email": ["key"], "account_reset_password_from_key": ["1", "key"]}
        return reverse(name, args=arguments.get(name, []))


@pytest.mark.parametrize("name", account_names())
@pytest.mark.parametrize("who", [None, "alice"])
def test_account_pages_are_answered_without_a_fault(sign_in, name, who):
    client = sign_in(who)
    assert client.get(account_address(name)).status_code < 500
    data = {"email": "a@example.org", "action_add": "", "login": "x", "password": "y"}
    assert client.post(account_address(name), data).status_code < 500


def test_asking_for_a_new_password_is_no_fault_without_a_mail_server(world, settings):
    """No mail server is part of a station's site; a person with an address asks all the same."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1
    user = world.users["alice"]
    user.email = "alice@example.org"
    user.save()
    try:
        target = reverse("account_reset_password")
    except Exception:
        return  # the site has no such page
    assert Client(raise_request_exception=False).post(target, {"email": "alice@example.org"}).status_code < 500
