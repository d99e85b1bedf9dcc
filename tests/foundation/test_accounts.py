"""Accounts: dated terms, one worked under at a time, who gets in and who does not."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from support import factories
from support.factories import PASSWORD
from xiangsui.foundation.accounts import selectors
from xiangsui.foundation.accounts.models import Assignment, User
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.accounts.services import user_open
from xiangsui.foundation.kit import clock
from xiangsui.foundation.orgs.models import Kind

pytestmark = pytest.mark.django_db
TODAY = clock.today()
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "in_force"),
    [
        (TODAY, None, True),
        (TODAY, TODAY, True),
        (TODAY - DAY, TODAY, True),
        (TODAY - DAY, TODAY - DAY, False),
        (TODAY + DAY, None, False),
        (TODAY, TODAY + DAY, True),
    ],
)
def test_both_ends_belong_to_the_term(start, end, in_force):
    term = factories.assignment(valid_from=start, valid_until=end)
    assert (term in selectors.assignments_of(user=term.user)) == in_force
    assert (selectors.assignment_current(user=term.user, wanted=None) == term) == in_force


def test_a_term_cannot_end_before_it_begins():
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.assignment(valid_from=TODAY, valid_until=TODAY - DAY)


def test_the_same_term_is_held_once():
    term = factories.assignment()
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.assignment(who=term.user, place=term.organisation)


def test_a_chosen_term_counts_only_while_it_is_in_force_and_ones_own():
    city, county = factories.organisation(), factories.organisation(kind=Kind.COUNTY)
    who = factories.user((Role.CITY_OFFICER, city), (Role.CHAPTER_SECRETARY, county))
    first, second = selectors.assignments_of(user=who)
    stranger = factories.assignment()
    assert selectors.assignment_current(user=who, wanted=str(second.uuid)) == second
    assert selectors.assignment_current(user=who, wanted=str(stranger.uuid)) == first
    assert selectors.assignment_current(user=who, wanted="nonsense") == first
    Assignment.objects.filter(pk=second.pk).update(valid_from=TODAY - DAY, valid_until=TODAY - DAY)
    assert selectors.assignment_current(user=who, wanted=str(second.uuid)) == first


def test_covering_is_the_tree():
    top = factories.organisation(kind=Kind.PROVINCE)
    below, beside = factories.organisation(top), factories.organisation()
    term = factories.assignment(place=top)
    assert term.covers(top)
    assert term.covers(below)
    assert not term.covers(beside)
    assert not factories.assignment(place=below).covers(top)


def test_opening_an_account_twice_changes_nothing():
    first = factories.user(username="once", password=PASSWORD)
    again = user_open(username="once", name="别人", password="another-password", assignments=[])
    assert again == first
    assert User.objects.get(username="once").check_password(PASSWORD)


def test_passwords_are_not_stored():
    assert PASSWORD not in factories.user().password


# ---------------------------------------------------------------- signing in


def enter(client, username, password=PASSWORD, **more):
    return client.post(reverse("account_login"), {"login": username, "password": password, **more})


@pytest.fixture
def officer():
    return factories.user((Role.CITY_OFFICER, factories.organisation()), username="officer-1")


def test_sign_in_leads_home(officer):
    client = Client()
    answer = enter(client, "officer-1")
    assert (answer.status_code, answer["Location"]) == (302, reverse("home"))
    assert client.get(reverse("home")).status_code == 200


def test_sign_in_leads_back_to_where_one_wanted_to_go_but_never_elsewhere(officer):
    client = Client()
    sent = client.get(reverse("donors:list"))
    assert sent["Location"].startswith(reverse("account_login"))
    assert enter(client, "officer-1", next=reverse("donors:list"))["Location"] == reverse("donors:list")
    assert enter(Client(), "officer-1", next="https://evil.example/")["Location"] == reverse("home")


def test_a_wrong_password_says_nothing_of_who_exists(officer):
    pages = []
    for username in ("officer-1", "nobody-there"):
        answer = enter(Client(), username, "wrong-password")
        assert answer.status_code == 200
        pages.append([str(error) for error in answer.context["form"].non_field_errors()])
    assert pages[0] == pages[1] != []


def test_wrong_passwords_lock_out_for_a_while(officer, settings):
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = enter(client, "officer-1", "wrong-password")
    assert answer.status_code in {403, 429}
    assert "锁定" in answer.content.decode()
    answer = enter(client, "officer-1")
    assert answer.status_code in {403, 429}, "the right password does not help while locked"
    assert client.get(reverse("home")).status_code == 302
    # Somebody else is not locked out with him.
    factories.user((Role.LEADER, factories.organisation()), username="other-1")
    assert enter(Client(), "other-1").status_code == 302


def test_a_success_forgets_the_failures(officer, settings):
    for _ in range(3):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            enter(Client(), "officer-1", "wrong-password")
        assert enter(Client(), "officer-1").status_code == 302


def test_a_closed_account_stays_out(officer):
    User.objects.update(is_active=False)
    client = Client()
    enter(client, "officer-1")
    assert client.get(reverse("home")).status_code == 302


def test_closing_an_account_ends_its_session(officer):
    client = Client()
    enter(client, "officer-1")
    User.objects.update(is_active=False)
    assert client.get(reverse("home")).status_code == 302


def test_a_new_password_ends_other_sessions(officer):
    client = Client()
    enter(client, "officer-1")
    officer.set_password("something-else-entirely")
    officer.save()
    assert client.get(reverse("home")).status_code == 302


def test_demonstration_accounts_stay_out_of_production(settings):
    factories.user((Role.LEADER, factories.organisation()), username="demo-1", is_demo=True)
    assert enter(Client(), "demo-1").status_code == 302
    settings.DEMO_ALLOWED = False
    client = Client()
    answer = enter(client, "demo-1")
    assert answer.status_code == 403
    assert "演示账号不能用于正式系统" in answer.content.decode()
    assert client.get(reverse("home")).status_code == 302


def test_a_demonstration_session_ends_when_the_site_goes_into_production(settings):
    demo = factories.user((Role.LEADER, factories.organisation()), username="demo-2", is_demo=True)
    client = Client()
    enter(client, demo.username)
    settings.DEMO_ALLOWED = False
    assert client.get(reverse("home")).status_code in {302, 403}


@pytest.mark.parametrize("path", ["/accounts/signup/", "/signup/", "/accounts/"])
def test_nobody_opens_an_account_for_himself(path):
    client = Client()
    before = User.objects.count()
    data = {"username": "me", "password1": PASSWORD, "password2": PASSWORD, "login": "me"}
    assert client.get(path).status_code in {200, 302, 403, 404}
    assert client.post(path, data).status_code in {200, 302, 403, 404}
    assert User.objects.count() == before


def test_without_a_term_one_is_told_so():
    who = factories.user(username="idle-1")
    client = Client()
    enter(client, who.username)
    answer = client.get(reverse("home"))
    assert answer.status_code == 403
    assert "任职" in answer.content.decode()


def test_a_term_that_ends_today_ends_the_work_tomorrow(officer, monkeypatch):
    Assignment.objects.update(valid_until=TODAY)
    client = Client()
    enter(client, "officer-1")
    assert client.get(reverse("home")).status_code == 200
    monkeypatch.setattr(clock, "today", lambda: TODAY + DAY)
    assert client.get(reverse("home")).status_code == 403


def test_switching_works_under_another_of_ones_own_terms():
    city, hospital = factories.organisation(), factories.organisation(kind=Kind.HOSPITAL)
    who = factories.user((Role.CITY_OFFICER, city), (Role.SEARCH_COORDINATOR, hospital), username="both-1")
    client = Client()
    enter(client, who.username)
    officer, coordinator = selectors.assignments_of(user=who)
    assert client.get(reverse("donors:list")).status_code == 200
    assert client.post(reverse("switch_assignment"), {"assignment": str(coordinator.uuid)}).status_code == 302
    assert client.get(reverse("donors:list")).status_code == 403
    assert client.get(reverse("patients:list")).status_code == 200
    # And it stays so, also in a later request, until he switches back.
    assert client.post(reverse("switch_assignment"), {"assignment": str(officer.uuid)}).status_code == 302
    assert client.get(reverse("donors:list")).status_code == 200
    assert client.get(reverse("patients:list")).status_code == 403


@pytest.mark.parametrize("wanted", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_switching_to_what_is_not_ones_own_is_refused(officer, wanted):
    client = Client()
    enter(client, "officer-1")
    assert client.post(reverse("switch_assignment"), {"assignment": wanted}).status_code == 403
    stranger = factories.assignment()
    assert client.post(reverse("switch_assignment"), {"assignment": str(stranger.uuid)}).status_code == 403
    assert client.get(reverse("switch_assignment")).status_code == 405


def test_switching_needs_the_token(officer):
    client = Client(enforce_csrf_checks=True)
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(reverse("switch_assignment"), {"assignment": ""}).status_code == 403


def test_signing_out_ends_the_session(officer):
    client = Client()
    enter(client, "officer-1")
    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get(reverse("home")).status_code == 200
    client.post(reverse("account_logout"))
    assert client.get(reverse("home")).status_code == 302
