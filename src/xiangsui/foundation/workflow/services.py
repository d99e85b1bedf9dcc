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
    before = [(row, row.status, row.status_since) for row in step.rows]
    try:
        return _take(step, breaches)
    except BaseException:
        for row, status, since in before:
            row.status, row.status_since = status, since
        raise


def _take(step: Step, breaches: Mapping[Any, Sequence[str]]) -> list[Event]:
    transition = step.transition
    with transaction.atomic():
        by_source = _move(step)
        facts = []
        for row in step.rows:
            source = by_source[row.pk]
            facts += _facts(step, row, source, breaches.get(row.pk, ()))
        _show(step.rows, transition.target, step.occurred_at)
        for effect in transition.effects:
            effect(step)
        # Last: the heads of the chains are locked until commit (mechanism 1).
        return events_append(facts=facts, actor=step.assignment.uuid if step.assignment else None)


def transition_undo(
    *, machine: Machine, row: Any, event_id: uuid.UUID, assignment: Assignment, reason: str
) -> list[Event]:
    """Take back a mis-click (撤回): the row returns to where it was, by an event that names the one it corrects.

    Raises:
        NotAllowed: who could not take the transition cannot take it back.
        Refusal: it is not the row's last step, was taken back already, was the clockwork's, was recorded at another
            organisation, or cannot be undone.
    """
    steps = _standing_steps(machine, row)
    if not steps or steps[-1].uuid != event_id:
        raise Refusal(_("只能撤回最近的一步，且每一步只能撤回一次。"), code="workflow.not_last")
    last = steps[-1]
    transition = machine.transition(last.kind.removeprefix(f"{machine.name}."))
    step = Step(machine, transition, (row,), assignment, last.occurred_at, {})
    _check_permission(step)
    foreign = last.organisation != row.organisation.uuid or last.actor is None
    if not transition.undoable or foreign or "from" not in last.details:
        raise Refusal(_("“%(step)s”不能撤回。") % {"step": transition.label}, code="workflow.final")
    source, target = last.details["from"], last.details["to"]
    # Since when it stood there: since the step before, not since now.
    since = next((e.occurred_at for e in reversed(steps[:-1]) if e.details.get("to") == source), last.occurred_at)
    with transaction.atomic():
        if not _update([row], target, source, since):
            raise _lost(row)
        row.status, row.status_since = source, since
        for effect in transition.undo_effects:
            effect(row, last)
        details = {"from": target, "to": source, "reason": reason}
        # Dated as the step it corrects, so that the period it was counted in is right again.
        common: dict[str, Any] = {
            "organisation": row.organisation.uuid,
            "subject": row.pk,
            "occurred_at": last.occurred_at,
            "corrects": last.uuid,
        }
        facts = [Fact(last.kind, delta=-last.delta, details=details, **common)]
        facts += [Fact(kind, delta=delta, **common) for kind, delta in machine.stock_changes(target, source)]
        return events_append(facts=facts, actor=assignment.uuid)


def _standing_steps(machine: Machine, row: Any) -> list[Event]:
    """The steps of a row that were not taken back, in the order they were recorded."""
    events = list(Event.objects.filter(subject=row.pk, kind__in=machine.kinds).order_by("recorded_at", "uuid"))
    undone = {event.corrects for event in events if event.corrects}
    return [event for event in events if event.corrects is None and event.uuid not in undone]


def _show(rows: Sequence[Any], status: str, since: dt.datetime) -> None:
    for row in rows:
        row.status, row.status_since = status, since


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
            day = value.date() if isinstance(value, dt.datetime) else value
            return day if isinstance(day, dt.date) else dt.date.fromisoformat(day)
        if wanted.kind == "int":
            if isinstance(value, bool | float):
                raise ValueError
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
    for person in [who, *([step.second] if step.second else [])]:
        if not _may(step, person):
            raise NotAllowed(
                _("您当前的身份“%(role)s”不能进行“%(step)s”。") % {"role": person, "step": step.transition.label},
                code="workflow.not_allowed",
            )
    if step.second is not None and step.second.user_id == who.user_id:
        raise Refusal(_("补录需要另一位同事确认。"), code="workflow.second")
    now = clock.now()
    if step.occurred_at > now + dt.timedelta(minutes=1):
        raise Refusal(_("发生时间不能晚于现在。"), code="workflow.future")
    if not step.late and step.day < now.astimezone(clock.BEIJING).date():
        raise Refusal(_("以前发生的事须作为补录，由另一位同事确认。"), code="workflow.late_needs_second")


def _may(step: Step, who: Assignment) -> bool:
    today = clock.today()
    in_force = who.valid_from <= today and (who.valid_until is None or who.valid_until >= today)
    return in_force and step.transition.allowed(who) and all(who.covers(row.organisation) for row in step.rows)


def _check_guards(step: Step) -> dict[Any, tuple[str, ...]]:
    """Per row the codes of the guards that do not hold; refuses unless the step is a late record."""
    failed = {row.pk: [guard for guard in step.transition.guards if not guard.holds(row, step)] for row in step.rows}
    failed = {pk: guards for pk, guards in failed.items() if guards}
    if failed and not step.late:
        first = next(iter(failed.values()))
        raise Refusal(" ".join(str(guard.message) for guard in first), code=f"guard.{first[0].code}")
    return {pk: tuple(guard.code for guard in guards) for pk, guards in failed.items()}


def _move(step: Step) -> dict[Any, str]:
    """Change the states by `UPDATE … WHERE state = from`; returns where each row came from.

    The organisation is part of the condition: a row that was transferred meanwhile belongs to somebody else.
    """
    groups: dict[tuple[str, Any], list[Any]] = defaultdict(list)
    for row in step.rows:
        if row.status not in step.transition.sources:
            raise Refusal(
                _("“%(row)s”现在是“%(state)s”，不能进行“%(step)s”。")
                % {"row": row, "state": step.machine.state(row.status).label, "step": step.transition.label},
                code="workflow.state",
            )
        groups[row.status, row.organisation_id].append(row)
    sources = {row.pk: row.status for row in step.rows}
    for (source, _organisation), rows in groups.items():
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            if _update(part, source, step.transition.target, step.occurred_at) != len(part):
                raise _lost(part[0])
    return sources


def _update(rows: Sequence[Any], source: str, target: str, since: dt.datetime) -> int:
    """Move rows of one state and one organisation; returns how many still were as they were read."""
    return int(
        type(rows[0])
        ._base_manager.filter(pk__in=[row.pk for row in rows], status=source, organisation_id=rows[0].organisation_id)
        .update(status=target, status_since=since)
    )


def _lost(row: Any) -> LostRace:
    return LostRace(
        _("“%(row)s”的状态刚被别人改动，没有做任何更改。请刷新后再看。") % {"row": row}, code="workflow.lost_race"
    )


def _facts(step: Step, row: Any, source: str, breaches: Sequence[str]) -> list[Fact]:
    details: dict[str, Any] = {"from": source, "to": step.transition.target, **step.values}
    if step.late and step.second is not None:
        details |= {"late": True, "second": step.second.uuid}
    if breaches:
        details |= {"breach": ".".join(breaches)}
    common: dict[str, Any] = {
        "organisation": row.organisation.uuid,
        "subject": row.pk,
        "occurred_at": step.occurred_at,
    }
    facts = [Fact(f"{step.machine.name}.{step.transition.name}", delta=1, details=details, **common)]
    return facts + [Fact(k, delta=d, **common) for k, d in step.machine.stock_changes(source, step.transition.target)]
