from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
import uuid
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.services import Fact, events_append
from xiangsui.foundation.orgs.models import Organisation

from .models import Needs, RuleVersion

_SHIPPED = Path(__file__).parent / "data" / "rules.toml"
# Rules of the whole programme have no organisation; their events go into one chain of their own.
PROGRAMME = uuid.UUID("00000000-0000-7000-8000-000000000001")
_LONGEST = RuleVersion._meta.get_field("text").max_length or 0
# Units in which nothing at all is no limit but a slip: it would admit nobody, or everybody.
_NEVER_ZERO = {"岁", "kg", "µg/kg", "人"}


def rules_ship() -> int:
    """Add the versions the product ships with that are not there yet; returns how many. Runs after every migration."""
    entries = tomllib.loads(_SHIPPED.read_text(encoding="utf-8"))["rule"]
    known = set(RuleVersion.objects.filter(organisation=None).values_list("name", "valid_from"))
    missing = [entry for entry in entries if (entry["name"], entry["valid_from"]) not in known]
    RuleVersion.objects.bulk_create(
        RuleVersion(
            name=entry["name"],
            title=entry["title"],
            title_en=entry["title_en"],
            kind=entry["kind"],
            text=value_text(entry["kind"], entry["value"]),
            unit=entry.get("unit", ""),
            valid_from=entry["valid_from"],
            source=entry["source"],
            needs=Needs(entry["needs"]),
            recorded_at=clock.now(),
        )
        for entry in missing
    )
    return len(missing)


def value_text(kind: str, value: Any) -> str:
    """A value as it is stored.

    Raises:
        Refusal: it is not of that kind, or below zero; a list that is empty or names an item twice.
    """
    text = ""
    try:
        if kind == "int" and isinstance(value, int | str) and not isinstance(value, bool) and int(value) >= 0:
            text = json.dumps(int(value))
        elif kind == "decimal":
            number = Decimal(str(value))
            if number.is_finite() and number >= 0:
                text = json.dumps(str(number))
        elif kind == "bool" and isinstance(value, bool):
            text = json.dumps(value)
        elif kind == "list":
            # Divided by any of the commas people type.
            items = [item.strip() for item in re.split("[,，、;；]", value)] if isinstance(value, str) else list(value)
            if items and all(isinstance(item, str) and item for item in items) and len(set(items)) == len(items):
                text = json.dumps(items, ensure_ascii=False)
    except (ValueError, TypeError, InvalidOperation):
        pass
    if text and len(text) <= _LONGEST:
        return text
    raise Refusal(
        _("“%(value)s”不是这条规则能用的值（需要%(kind)s）。")
        % {
            "value": value,
            "kind": {
                "int": _("不小于零的整数"),
                "decimal": _("不小于零的数字"),
                "bool": _("是或否"),
                "list": _("用逗号隔开的列表"),
            }[kind],
        },
        code="rule.value",
    )


def rule_add(
    *,
    name: str,
    value: Any,
    valid_from: dt.date,
    source: str,
    organisation: Organisation | None = None,
    actor: uuid.UUID | None = None,
) -> RuleVersion:
    """Add a version of a rule that exists; it is unconfirmed where the rule needs confirming.

    Raises:
        Refusal: no such rule, a value of another kind, a version of that day there already.
    """
    model = RuleVersion.objects.filter(name=name).order_by("recorded_at").first()
    if model is None:
        raise Refusal(_("没有“%(name)s”这条规则。") % {"name": name}, code="rule.unknown")
    text = value_text(model.kind, value)
    if model.unit in _NEVER_ZERO and not Decimal(json.loads(text)):
        raise Refusal(_("“%(rule)s”应大于零。") % {"rule": model.label}, code="rule.value")
    version = RuleVersion(
        name=name,
        title=model.title,
        title_en=model.title_en,
        organisation=organisation,
        kind=model.kind,
        text=text,
        unit=model.unit,
        valid_from=valid_from,
        source=source.strip(),
        needs=model.needs,
        recorded_at=clock.now(),
        recorded_by=actor,
    )
    try:
        with transaction.atomic():
            version.save(force_insert=True)
            _record("rule.added", version, actor)
    except IntegrityError as error:
        raise Refusal(
            _("这条规则在该范围已有同一天生效的版本；请改用另一个生效日期。"), code="rule.same_day"
        ) from error
    return version


@transaction.atomic
def rule_confirm(*, version: RuleVersion, actor: uuid.UUID) -> RuleVersion:
    """Record that the person whose confirmation a version needs has given it.

    Raises:
        Refusal: it is confirmed already or needs nobody.
    """
    if (
        not RuleVersion.objects.filter(pk=version.pk, confirmed_at=None)
        .exclude(needs=Needs.NOBODY)
        .update(confirmed_by=actor, confirmed_at=clock.now())
    ):
        raise Refusal(_("这个版本已经确认，或不需要确认。"), code="rule.confirmed")
    version.refresh_from_db()
    _record("rule.confirmed", version, actor)
    return version


def _record(kind: str, version: RuleVersion, actor: uuid.UUID | None) -> None:
    chain = version.organisation.uuid if version.organisation else PROGRAMME
    details = {"rule": version.name, "valid_from": version.valid_from}
    events_append(facts=[Fact(kind, chain, version.uuid, details=details)], actor=actor)
