"""Taking a transition: permission, guards, the change, the event and the follow-on work, in one transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.services import Fact, events_append

from .table import Field, Machine, Step, Transition

_CHUNK = 500


class LostRace(Refusal):
    """Somebody else moved a row first. Nothing was changed."""

    status = 409


def transition_take(
    *,
    machine: Machine,
    name: str,
    rows: Sequence[Any],
    assignment: Assignment | None,
    values: Mapping[str, Any] | None = None,
    occurred_at: dt.datetime | None = None,
    second: Assignment | None = None,
) -> list[Event]:
    """Move rows along a transition; all of them or none.

    With `second` it is a late record (补录): what happened is recorded with its real time and a second person, and
    guards that did not hold become a breach mark instead of a refusal. Permission is never waived. Without an
    assignment it is the system's own clockwork, which may take automatic transitions only.

    Raises:
        NotAllowed: this role may not, or a row lies outside the assignment's scope.
        Refusal: a guard does not hold, something was not said, the time lies ahead.
        LostRace: a row is no longer in a state the transition starts from.
    """
    transition = machine.transition(name)
    step = Step(
        machine=machine,
        transition=transition,
        rows=tuple(rows),
        assignment=assignment,
        occurred_at=occurred_at or clock.now(),
        values=_values(transition, values or {}),
        late=second is not None,
        second=second,
    )
    _check_permission(step)
    breaches = _check_guards(step)
    with transaction.atomic():
        by_source = _move(step)
        facts = []
        for row in step.rows:
            source = by_source[row.pk]
            facts += _facts(step, row, source, breaches.get(row.pk, ()))
        for effect in transition.effects:
            effect(step)
        # Last: the heads of the chains are locked until commit (mechanism 1).
        return events_append(facts=facts, actor=assignment.uuid if assignment else None)


def transition_undo(
    *, machine: Machine, row: Any, event_id: uuid.UUID, assignment: Assignment, reason: str
) -> list[Event]:
    """Take back a mis-click (撤回): the row returns to where it was, by an event that names the one it corrects.

    Raises:
        NotAllowed: who could not take the transition cannot take it back.
        Refusal: it is not the row's last step, was taken back already, or cannot be undone.
    """
    prefix = f"{machine.name}."
    steps = Event.objects.filter(subject=row.pk, kind__startswith=prefix).order_by("-recorded_at", "-uuid")
    undone = set(steps.filter(corrects__isnull=False).values_list("corrects", flat=True))
    last = next((e for e in steps if e.corrects is None and e.uuid not in undone), None)
    if last is None or last.uuid != event_id:
        raise Refusal(_("只能撤回最近的一步，且每一步只能撤回一次。"), code="workflow.not_last")
    transition = machine.transition(last.kind.removeprefix(prefix))
    step = Step(machine, transition, (row,), assignment, last.occurred_at, {})
    _check_permission(step)
    if not transition.undoable:
        raise Refusal(_("“%(step)s”不能撤回。") % {"step": transition.label}, code="workflow.final")
    source, target = last.details["from"], last.details["to"]
    with transaction.atomic():
        _update(row, from_state=target, to_state=source)
        details = {"from": target, "to": source, "reason": reason}
        # Dated as the step it corrects, so that the period it was counted in is right again.
        common = {"organisation": row.organisation.uuid, "subject": row.pk, "occurred_at": last.occurred_at}
        facts = [Fact(last.kind, corrects=last.uuid, delta=-last.delta, details=details, **common)]
        facts += [Fact(k, delta=d, corrects=last.uuid, **common) for k, d in machine.stock_changes(target, source)]
        row.status = source
        return events_append(facts=facts, actor=assignment.uuid)


def _values(transition: Transition, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for wanted in transition.fields:
        value = given.get(wanted.name)
        if value in (None, ""):
            if wanted.required:
                raise Refusal(_("请填写“%(field)s”。") % {"field": wanted.label}, code="workflow.field")
            continue
        found[wanted.name] = _read(wanted, value)
    if extra := set(given) - {wanted.name for wanted in transition.fields}:
        raise Refusal(_("“%(names)s”不属于这一步。") % {"names": "、".join(sorted(extra))}, code="workflow.extra")
    return found


def _read(wanted: Field, value: Any) -> Any:
    try:
        if wanted.kind == "date":
            return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)
        if wanted.kind == "int":
            return int(value)
        if wanted.choices and value not in wanted.choices:
            raise ValueError
        return str(value)
    except (ValueError, TypeError) as error:
        raise Refusal(
            _("“%(field)s”的值“%(value)s”不对。") % {"field": wanted.label, "value": value}, code="workflow.value"
        ) from error


def _check_permission(step: Step) -> None:
    who = step.assignment
    if who is None:
        if not step.transition.automatic or step.late:
            raise NotAllowed(
                _("“%(step)s”不能由系统自动进行。") % {"step": step.transition.label}, code="workflow.not_automatic"
            )
        return
    if not step.transition.allowed(who) or not all(who.covers(row.organisation) for row in step.rows):
        raise NotAllowed(
            _("您当前的身份“%(role)s”不能进行“%(step)s”。") % {"role": who, "step": step.transition.label},
            code="workflow.not_allowed",
        )
    if step.second is not None and step.second.user_id == who.user_id:
        raise Refusal(_("补录需要另一位同事确认。"), code="workflow.second")
    if step.occurred_at > clock.now() + dt.timedelta(minutes=1):
        raise Refusal(_("发生时间不能晚于现在。"), code="workflow.future")


def _check_guards(step: Step) -> dict[Any, tuple[str, ...]]:
    """Per row the codes of the guards that do not hold; refuses unless the step is a late record."""
    failed = {row.pk: [guard for guard in step.transition.guards if not guard.holds(row, step)] for row in step.rows}
    failed = {pk: guards for pk, guards in failed.items() if guards}
    if failed and not step.late:
        first = next(iter(failed.values()))
        raise Refusal(" ".join(str(guard.message) for guard in first), code=f"guard.{first[0].code}")
    return {pk: tuple(guard.code for guard in guards) for pk, guards in failed.items()}


def _move(step: Step) -> dict[Any, str]:
    """Change the states by `UPDATE … WHERE state = from`; returns where each row came from."""
    by_source: dict[str, list[Any]] = defaultdict(list)
    for row in step.rows:
        if row.status not in step.transition.sources:
            raise _lost(row)
        by_source[row.status].append(row)
    sources = {row.pk: row.status for row in step.rows}
    for source, rows in by_source.items():
        model = type(rows[0])
        for start in range(0, len(rows), _CHUNK):
            part = [row.pk for row in rows[start : start + _CHUNK]]
            changed = model._base_manager.filter(pk__in=part, status=source).update(
                status=step.transition.target, status_since=step.occurred_at
            )
            if changed != len(part):
                raise _lost(rows[0])
    for row in step.rows:
        row.status, row.status_since = step.transition.target, step.occurred_at
    return sources


def _update(row: Any, *, from_state: str, to_state: str) -> None:
    changed = (
        type(row)._base_manager.filter(pk=row.pk, status=from_state).update(status=to_state, status_since=clock.now())
    )
    if changed != 1:
        raise _lost(row)


def _lost(row: Any) -> LostRace:
    return LostRace(
        _("“%(row)s”的状态刚被别人改动，没有做任何更改。请刷新后再看。") % {"row": row}, code="workflow.lost_race"
    )


def _facts(step: Step, row: Any, source: str, breaches: Sequence[str]) -> list[Fact]:
    details: dict[str, Any] = {"from": source, "to": step.transition.target, **step.values}
    if step.late and step.second is not None:
        details |= {"late": True, "second": step.second.uuid}
    if breaches:
        details |= {"breach": True, "guard": breaches[0]}
    common = {"organisation": row.organisation.uuid, "subject": row.pk, "occurred_at": step.occurred_at}
    facts = [Fact(f"{step.machine.name}.{step.transition.name}", delta=1, details=details, **common)]
    return facts + [Fact(k, delta=d, **common) for k, d in step.machine.stock_changes(source, step.transition.target)]
