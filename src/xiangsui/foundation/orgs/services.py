"""Writing the tree: organisations open, close, move, bear other names, merge and split, each on a day.

Every change is an event of the ledger and a new period. A change may be dated back, but not before the last one:
history is told forwards.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.services import Fact, chains_close, events_append

from .models import Organisation, OrganisationPeriod


@transaction.atomic
def organisation_open(
    *,
    code: str,
    name: str,
    kind: str,
    parent: Organisation | None = None,
    division_code: str = "",
    on: dt.date | None = None,
    actor: uuid.UUID | None = None,
) -> Organisation:
    """Open an organisation below `parent`, or return the one that already bears `code`.

    Raises:
        Refusal: the parent was not open on that day.
    """
    existing = Organisation.objects.filter(code=code).first()
    if existing is not None:
        return existing
    on = on or clock.today()
    if parent is not None:
        # treebeard counts children on the instance it is given: an old copy would hand out a taken path.
        parent = _locked(parent)
        _require_open(parent, on)
    fields = {"code": code, "name": name, "kind": kind, "division_code": division_code, "opened_on": on}
    tree = Organisation.objects
    organisation = tree.add_child(parent, fields) if parent else tree.add_root(fields)
    OrganisationPeriod.objects.create(organisation=organisation, parent=parent, name=name, kind=kind, valid_from=on)
    _record("opened", organisation, on, actor, parent=parent)
    return organisation


@transaction.atomic
def organisation_rename(
    *, organisation: Organisation, name: str, on: dt.date, kind: str | None = None, actor: uuid.UUID | None = None
) -> Organisation:
    """Give an organisation another name, or another kind, from a day on."""
    organisation = _locked(organisation)
    _require_open(organisation, on)
    organisation.name = name
    organisation.kind = kind or organisation.kind
    organisation.save(update_fields=["name", "kind"])
    _turn(organisation, on, parent=_parent_today(organisation))
    _record("renamed", organisation, on, actor)
    return organisation


@transaction.atomic
def organisation_move(
    *, organisation: Organisation, parent: Organisation, on: dt.date, actor: uuid.UUID | None = None
) -> Organisation:
    """Put an organisation, with all below it, under another one from a day on.

    Raises:
        Refusal: the new parent lies below it or was not open.
    """
    organisation, parent = _locked(organisation), _locked(parent)
    _require_open(organisation, on)
    _require_open(parent, on)
    if organisation.contains(parent):
        raise Refusal(_("不能把“%(name)s”移到它自己的下级。") % {"name": organisation}, code="organisation.cycle")
    Organisation.objects.move(organisation, parent, pos="last-child")
    organisation = Organisation.objects.get(pk=organisation.pk)
    _turn(organisation, on, parent=parent)
    _record("moved", organisation, on, actor, parent=parent)
    return organisation


@transaction.atomic
def organisation_close(*, organisation: Organisation, on: dt.date, actor: uuid.UUID | None = None) -> Organisation:
    """Close an organisation that nothing open stands below.

    Raises:
        Refusal: something does.
    """
    organisation = _locked(organisation)
    _close(organisation, on, parent=_parent_today(organisation))
    _record("closed", organisation, on, actor)
    return organisation


@transaction.atomic
def organisations_merge(
    *, sources: Sequence[Organisation], successor: Organisation, on: dt.date, actor: uuid.UUID | None = None
) -> Organisation:
    """Merge organisations into another one from a day on. What stands below them moves along.

    No row is rewritten: a merged organisation goes on, closed, below its successor, whose scope and figures thereby
    hold all that was its own. Its chain of events is closed by an event that the successor's chain names.

    Raises:
        Refusal: one is closed already, or the successor lies below one of them.
    """
    successor = _locked(successor)
    _require_open(successor, on)
    for source in sources:
        source = _locked(source)
        if source.contains(successor):
            raise Refusal(_("“%(name)s”包含合并后的组织，不能并入它。") % {"name": source}, code="organisation.cycle")
        _require_open(source, on)
        for child in Organisation.objects.get_children(source).filter(closed_on=None):
            organisation_move(organisation=child, parent=successor, on=on, actor=actor)
        source = _locked(source)
        Organisation.objects.move(source, _locked(successor), pos="last-child")
        source = Organisation.objects.get(pk=source.pk)
        _close(source, on, parent=successor)
        _record("merged", source, on, actor, parent=successor)
    chains_close(chains=[source.uuid for source in sources], successors=[successor.uuid], actor=actor)
    return Organisation.objects.get(pk=successor.pk)


@transaction.atomic
def organisation_split(
    *, organisation: Organisation, successors: Sequence[Organisation], on: dt.date, actor: uuid.UUID | None = None
) -> Organisation:
    """Close an organisation whose work goes on in several open ones, from a day on.

    Its past belongs to none of them: it stays where it stood and is counted in the level above. Its people are
    handed over one by one (a transfer with receipt), because somebody must say who goes where.

    Raises:
        Refusal: something open stands below it, fewer than two successors, or one of them is not open.
    """
    organisation = _locked(organisation)
    if len({successor.pk for successor in successors} - {organisation.pk}) < 2:
        raise Refusal(_("拆分至少需要两个承接的组织。"), code="organisation.split")
    for successor in successors:
        _require_open(_locked(successor), on)
    _close(organisation, on, parent=_parent_today(organisation))
    _record("split", organisation, on, actor)
    chains_close(chains=[organisation.uuid], successors=[successor.uuid for successor in successors], actor=actor)
    return organisation


def _locked(organisation: Organisation) -> Organisation:
    return Organisation.objects.select_for_update().get(pk=organisation.pk)


def _parent_today(organisation: Organisation) -> Organisation | None:
    return organisation.periods.select_related("parent").get(valid_until=None).parent


def _require_open(organisation: Organisation, on: dt.date) -> None:
    if organisation.closed_on is not None or on < organisation.opened_on:
        raise Refusal(
            _("“%(name)s”在%(date)s不是存续中的组织。") % {"name": organisation, "date": on.isoformat()},
            code="organisation.not_open",
        )


def _close(organisation: Organisation, on: dt.date, *, parent: Organisation | None) -> None:
    _require_open(organisation, on)
    if Organisation.objects.get_children(organisation).filter(closed_on=None).exists():
        raise Refusal(
            _("“%(name)s”还有存续的下级组织，请先移走或撤销它们。") % {"name": organisation},
            code="organisation.has_children",
        )
    organisation.closed_on = on
    organisation.save(update_fields=["closed_on"])
    _turn(organisation, on, parent=parent)


def _turn(organisation: Organisation, on: dt.date, *, parent: Organisation | None) -> None:
    """End the last period on a day and begin the next; a second change on one day replaces the first."""
    last = organisation.periods.get(valid_until=None)
    if on < last.valid_from:
        raise Refusal(
            _("“%(name)s”最近一次变更在%(date)s，新的变更不能早于它。")
            % {"name": organisation, "date": last.valid_from.isoformat()},
            code="organisation.out_of_order",
        )
    if on == last.valid_from:
        last.delete()
    else:
        last.valid_until = on
        last.save(update_fields=["valid_until"])
    OrganisationPeriod.objects.create(
        organisation=organisation,
        parent=parent,
        name=organisation.name,
        kind=organisation.kind,
        is_open=organisation.closed_on is None,
        valid_from=on,
    )


def _record(
    what: str, organisation: Organisation, on: dt.date, actor: uuid.UUID | None, parent: Organisation | None = None
) -> None:
    details = {"on": on, "kind": organisation.kind, "parent": parent.uuid if parent else None}
    events_append(
        facts=[Fact(f"organisation.{what}", organisation.uuid, organisation.uuid, details=details)], actor=actor
    )
