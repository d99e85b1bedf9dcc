"""Rules: which version holds where and when, what may be entered, what ships, who confirmed it."""

import ast
import datetime as dt
import tomllib
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from support import factories
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify
from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.orgs.services import organisation_move, organisations_merge
from xiangsui.foundation.programme_rules import services
from xiangsui.foundation.programme_rules.models import Needs, RuleVersion
from xiangsui.foundation.programme_rules.selectors import UnknownRule, rule, rule_history, rules_in_force
from xiangsui.foundation.programme_rules.services import PROGRAMME, rule_add, rule_confirm, rules_ship, value_text

pytestmark = pytest.mark.django_db

SRC = Path(__file__).parents[3] / "src"
NAME = "donor.join_age_max"
DAY = dt.date(2020, 1, 1)
WHO = uuid.UUID(int=5)


@pytest.fixture(autouse=True)
def _shipped(db):
    """Another module may have emptied the database."""
    rules_ship()


@pytest.fixture
def tree():
    codes = {"N": factories.organisation(code="N")}
    for code, parent in (("P1", "N"), ("P2", "N"), ("C1", "P1"), ("C2", "P1"), ("C3", "P2"), ("K1", "C1")):
        codes[code] = factories.organisation(Organisation.objects.get(code=parent), code=code)
    return {code: Organisation.objects.get(code=code) for code in codes}


def add(value, day=DAY, at=None, name=NAME, **options):
    return rule_add(name=name, value=value, valid_from=day, source="试验", organisation=at, actor=WHO, **options)


def refused(code, function, *arguments, **options):
    with pytest.raises(Refusal) as refusal:
        function(*arguments, **options)
    assert refusal.value.code == code
    assert str(refusal.value)
    return str(refusal.value)


# ---------------------------------------------------------------- which version holds


def test_the_shipped_version_holds_everywhere(tree):
    assert rule(NAME).value == rule(NAME, at=tree["K1"]).value == 45


def test_the_nearest_organisation_goes_before_all_above_it(tree):
    add(46, at=tree["N"])
    add(47, at=tree["P1"])
    add(48, at=tree["C1"])
    values = {code: rule(NAME, at=tree[code]).value for code in tree}
    assert values == {"N": 46, "P1": 47, "P2": 46, "C1": 48, "C2": 47, "C3": 46, "K1": 48}
    assert rule(NAME).value == 45


def test_near_goes_before_new(tree):
    """An older version of the city holds although the province made a newer one."""
    add(48, DAY, tree["C1"])
    add(47, DAY + dt.timedelta(days=100), tree["P1"])
    assert rule(NAME, at=tree["C1"]).value == 48
    assert rule(NAME, at=tree["C2"]).value == 47


def test_a_sibling_does_not_count(tree):
    add(48, at=tree["C2"])
    assert rule(NAME, at=tree["C1"]).value == rule(NAME, at=tree["P1"]).value == 45


def test_the_tenth_sibling_is_no_child_of_the_first():
    parent = factories.organisation()
    many = [factories.organisation(Organisation.objects.get(pk=parent.pk)) for _number in range(40)]
    add(40, at=many[0])
    assert {rule(NAME, at=one).value for one in many[1:]} == {45}


def test_a_version_holds_from_its_day_on(tree):
    add(46, DAY)
    add(47, DAY + dt.timedelta(days=10))
    days = {-1: 45, 0: 46, 9: 46, 10: 47, 11: 47}
    assert {n: rule(NAME, on=DAY + dt.timedelta(days=n)).value for n in days} == days


def test_the_order_of_entry_does_not_count():
    add(47, DAY + dt.timedelta(days=10))
    add(46, DAY)
    assert rule(NAME, on=DAY + dt.timedelta(days=5)).value == 46
    assert rule(NAME).value == 47


def test_tomorrow_does_not_hold_today():
    add(47, clock.today() + dt.timedelta(days=1))
    add(46, clock.today())
    assert rule(NAME).value == 46


def test_before_the_first_version_there_is_no_rule():
    with pytest.raises(UnknownRule, match=NAME):
        rule(NAME, on=dt.date(1990, 1, 1))


def test_a_rule_nobody_wrote_is_a_fault_of_the_code():
    with pytest.raises(UnknownRule):
        rule("donor.shoe_size")


def test_a_moved_organisation_follows_its_new_parent(tree):
    add(46, at=tree["P1"])
    add(47, at=tree["P2"])
    moved = organisation_move(organisation=tree["C1"], parent=tree["P2"], on=clock.today())
    assert rule(NAME, at=moved).value == 47
    assert rule(NAME, at=Organisation.objects.get(code="K1")).value == 47


def test_a_question_is_one_query(tree, django_assert_num_queries):
    for number, code in enumerate(tree):
        add(30 + number, at=tree[code])
    with django_assert_num_queries(1):
        assert rule(NAME, at=tree["K1"]).value == 36


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["", "N", "P1", "P2", "C1", "C2", "K1"]), st.integers(0, 20)),
        max_size=12,
        unique=True,
    ),
    st.integers(0, 20),
)
def test_any_set_of_versions_answers_as_counted_by_hand(entries, day):
    with transaction.atomic():
        places = {"": None, "N": factories.organisation()}
        for code, parent in (("P1", "N"), ("P2", "N"), ("C1", "P1"), ("C2", "P1"), ("K1", "C1")):
            places[code] = factories.organisation(Organisation.objects.get(pk=places[parent].pk))
        for number, (code, from_day) in enumerate(entries):
            add(100 + number, DAY + dt.timedelta(days=from_day), places[code])
        for code, ways in {
            "": [""], "N": ["N", ""], "C2": ["C2", "P1", "N", ""], "K1": ["K1", "C1", "P1", "N", ""], "P2": ["P2", "N", ""],
        }.items():  # fmt: skip
            expected = 45
            for way in ways:
                valid = [(d, 100 + n) for n, (c, d) in enumerate(entries) if c == way and d <= day]
                if valid:
                    expected = max(valid)[1]
                    break
            assert rule(NAME, on=DAY + dt.timedelta(days=day), at=places[code]).value == expected
        transaction.set_rollback(True)


def test_the_list_and_the_history_hold_every_version(tree):
    first, second = add(46, at=tree["P1"]), add(47, clock.today() + dt.timedelta(days=3), tree["P1"])
    assert first in rules_in_force()
    assert second not in rules_in_force()
    assert second in rules_in_force(on=clock.today() + dt.timedelta(days=3))
    assert list(rule_history(name=NAME))[:2] == [second, first]
    assert rule_history(name=NAME).count() == 3


# ---------------------------------------------------------------- entering


def test_a_new_version_takes_over_what_the_rule_is(tree):
    old, new = rule("donor.listed_age_max"), add(54, at=tree["P1"], name="donor.listed_age_max")
    for field in ("title", "title_en", "kind", "unit", "needs"):
        assert getattr(new, field) == getattr(old, field)
    assert (new.recorded_by, new.source, new.confirmed_at, new.is_confirmed) == (WHO, "试验", None, False)


def test_a_second_version_of_one_day_is_refused_and_leaves_nothing(tree):
    for at in (None, tree["P1"]):
        add(46, at=at)
        before = RuleVersion.objects.count(), Event.objects.count()
        assert "同一天" in refused("rule.same_day", add, 47, at=at)
        assert (RuleVersion.objects.count(), Event.objects.count()) == before
    add(46, at=tree["P2"])  # another place, the same day


def test_a_refusal_leaves_the_callers_transaction_usable(tree):
    add(46)
    with transaction.atomic():
        refused("rule.same_day", add, 47)
        add(48, DAY + dt.timedelta(days=1))
    assert rule(NAME).value == 48


def test_a_rule_that_does_not_exist_cannot_be_entered():
    assert "donor.shoe_size" in refused("rule.unknown", add, 46, name="donor.shoe_size")


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("int", 7, 7), ("int", "7", 7), ("int", " 7 ", 7), ("int", "７", 7), ("int", 0, 0),
        ("decimal", "1.50", Decimal("1.50")), ("decimal", 2, Decimal(2)), ("decimal", Decimal("0.1"), Decimal("0.1")),
        ("decimal", 0.1, Decimal("0.1")), ("bool", True, True), ("bool", False, False),
        ("list", ["A", "B"], ["A", "B"]), ("list", "A, B ,C", ["A", "B", "C"]), ("list", ("甲",), ["甲"]),
        *(("list", text, ["A", "B"])
          for text in ("A，B", "A、B", "A；B")),
    ],
)  # fmt: skip
def test_a_value_comes_back_in_its_own_type(kind, given, value):
    version = RuleVersion(kind=kind, text=value_text(kind, given))
    assert version.value == value
    assert type(version.value) is type(value)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("int", "seven"), ("int", ""), ("int", "7.5"), ("int", 7.0), ("int", True), ("int", None), ("int", [7]), ("int", "9" * 5_000),
        ("decimal", "x"), ("decimal", ""), ("decimal", "NaN"), ("decimal", "Infinity"), ("decimal", "-inf"), ("decimal", "sNaN"),
        ("decimal", None), ("bool", "true"), ("bool", 1), ("bool", 0), ("bool", None), ("bool", ""),
        ("list", ""), ("list", "A,,B"), ("list", []), ("list", ["A", ""]), ("list", ["A", 5]), ("list", ["A", None]),
        ("list", 5),
        ("list", None),
        ("list", True),
        ("list", "A,A"),
        ("list", "甲" * 501),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_with_words(kind, wrong):
    refused("rule.value", value_text, kind, wrong)


def test_an_age_below_nothing_is_refused():
    refused("rule.value", add, -5)


def test_a_refused_value_leaves_nothing():
    before = RuleVersion.objects.count(), Event.objects.count()
    message = refused("rule.value", add, "fünf")
    assert "fünf" in message
    assert (RuleVersion.objects.count(), Event.objects.count()) == before


def test_every_entry_is_an_event(tree):
    version = add(46, at=tree["P1"])
    event = Event.objects.get(kind="rule.added", subject=version.uuid)
    assert (event.chain, event.actor) == (tree["P1"].uuid, WHO)
    assert event.details == {"rule": NAME, "valid_from": "2020-01-01"}
    everywhere = add(46)
    assert Event.objects.get(subject=everywhere.uuid).chain == PROGRAMME
    assert not list(ledger_verify())


def test_a_rule_for_a_merged_organisation_goes_into_its_heirs_chain(tree):
    organisations_merge(sources=[tree["C1"]], successor=tree["C2"], on=clock.today())
    version = add(46, at=Organisation.objects.get(code="C1"))
    assert Event.objects.get(subject=version.uuid).chain == tree["C2"].uuid
    assert not list(ledger_verify())


# ---------------------------------------------------------------- confirming


def test_a_version_is_confirmed_once():
    version = add(54, name="donor.listed_age_max")
    assert not version.is_confirmed
    confirmed = rule_confirm(version=version, actor=WHO)
    assert confirmed.is_confirmed
    assert (confirmed.confirmed_by, confirmed.value) == (WHO, 54)
    at = confirmed.confirmed_at
    refused("rule.confirmed", rule_confirm, version=version, actor=uuid.UUID(int=6))
    version.refresh_from_db()
    assert (version.confirmed_by, version.confirmed_at) == (WHO, at)
    event = Event.objects.get(kind="rule.confirmed")
    assert (event.subject, event.actor, event.chain) == (version.uuid, WHO, PROGRAMME)


def test_what_needs_nobody_cannot_be_confirmed():
    version = rule(NAME)
    assert version.needs == Needs.NOBODY
    assert version.is_confirmed
    refused("rule.confirmed", rule_confirm, version=version, actor=WHO)
    assert not Event.objects.filter(kind="rule.confirmed").exists()


def test_a_new_version_needs_a_confirmation_of_its_own():
    rule_confirm(version=rule("donor.listed_age_max"), actor=WHO)
    assert not add(54, name="donor.listed_age_max").is_confirmed


# ---------------------------------------------------------------- what ships


def entries():
    return tomllib.loads(services._SHIPPED.read_text(encoding="utf-8"))["rule"]


def test_every_shipped_rule_is_complete():
    for entry in entries():
        name = entry.get("name")
        assert entry.keys() <= {
            "name",
            "title",
            "title_en",
            "kind",
            "unit",
            "value",
            "valid_from",
            "source",
            "needs",
        }, name
        assert entry["title"].strip(), name
        assert entry["title_en"].strip().isascii(), name
        assert "source" in entry, name
        assert entry["needs"] in Needs.values, name
        assert isinstance(entry["valid_from"], dt.date), name
        assert value_text(entry["kind"], entry["value"]), name
        assert entry["kind"] in {"bool", "list"} or entry.get("unit"), f"{name}: a number without a unit"
        for field, limit in (("name", 60), ("title", 120), ("title_en", 120), ("unit", 20), ("source", 300)):
            assert len(entry.get(field, "")) <= limit, name
    names = [(entry["name"], entry["valid_from"]) for entry in entries()]
    assert len(set(names)) == len(names)


def test_every_shipped_rule_is_there_as_written():
    for entry in entries():
        version = RuleVersion.objects.get(name=entry["name"], valid_from=entry["valid_from"], organisation=None)
        expected = Decimal(str(entry["value"])) if entry["kind"] == "decimal" else entry["value"]
        assert version.value == expected
        assert version.is_sourced == bool(entry["source"])
        assert not version.is_confirmed or version.needs == Needs.NOBODY  # nothing ships confirmed


def test_a_rule_without_a_source_says_so():
    unsourced = {entry["name"] for entry in entries() if not entry["source"]}
    assert unsourced
    assert {name for name in unsourced if not rule(name).is_sourced} == unsourced
    assert add(9, name=min(unsourced)).is_sourced  # a deployer found one


def test_a_rule_bears_the_readers_language():
    version = rule(NAME)
    with translation.override("en"):
        assert version.label == version.title_en
    with translation.override("zh-hans"):
        assert version.label == version.title


def snapshot():
    return sorted(
        RuleVersion.objects.values_list("pk", "name", "text", "title", "source", "confirmed_at", "recorded_at")
    )


def test_shipping_again_adds_nothing_and_changes_nothing(tree):
    rule_confirm(version=rule("donor.listed_age_max"), actor=WHO)
    add(46)
    add(47, at=tree["P1"])
    RuleVersion.objects.filter(name="donor.reflection_days").update(text="9", source="省里的文件")
    before = snapshot()
    assert rules_ship() == 0
    assert snapshot() == before


def test_a_deployers_version_of_a_shipped_day_is_kept():
    """The same rule, the same day, entered here before the release brought it."""
    shipped = entries()[0]
    RuleVersion.objects.filter(name=shipped["name"]).update(text="21", source="本省规定")
    assert rules_ship() == 0
    assert rule(shipped["name"]).value == 21


def test_a_version_of_one_organisation_does_not_stand_in_for_the_shipped_one(tree):
    version = rule(NAME)
    add(46, version.valid_from, tree["P1"])
    RuleVersion.objects.filter(pk=version.pk).delete()
    assert rules_ship() == 1
    assert rule(NAME).value == 45


def test_a_release_that_brings_a_later_version_adds_it_beside(monkeypatch, tmp_path):
    text = services._SHIPPED.read_text(encoding="utf-8")
    newer = f'{text}\n[[rule]]\nname = "{NAME}"\ntitle = "t"\ntitle_en = "t"\nkind = "int"\nunit = "岁"\nvalue = 50\nvalid_from = 2026-01-01\nsource = "新"\nneeds = "nobody"\n'
    (tmp_path / "rules.toml").write_text(newer, encoding="utf-8")
    monkeypatch.setattr(services, "_SHIPPED", tmp_path / "rules.toml")
    assert rules_ship() == 1
    assert rule(NAME, on=dt.date(2025, 12, 31)).value == 45
    assert rule(NAME, on=dt.date(2026, 1, 1)).value == 50
    assert rules_ship() == 0


# ---------------------------------------------------------------- what the code asks for


def asked():
    """Every name that code gives to `rule`, with the place; a name that is put together is a fault by itself."""
    found = []
    for path in sorted(SRC.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                function = node.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if name == "rule" and (node.args or node.keywords):
                    argument = node.args[0] if node.args else next(k.value for k in node.keywords if k.arg == "name")
                    found.append((f"{path.relative_to(SRC)}:{node.lineno}", argument))
    return found


def test_every_rule_the_code_asks_for_ships():
    assert len(asked()) >= 3  # the search itself works
    shipped = {entry["name"] for entry in entries()}
    for place, argument in asked():
        assert isinstance(argument, ast.Constant), (
            f"{place}: the name of a rule is written out, so that it can be found"
        )
        assert argument.value in shipped, f"{place}: {argument.value!r} is in no shipped rule"


def test_versions_are_nobodys_to_delete():
    """Whoever deletes an organisation would delete its rules: the database refuses it."""
    field = apps.get_model("programme_rules", "RuleVersion")._meta.get_field("organisation")
    assert field.remote_field.on_delete.__name__ == "PROTECT"
