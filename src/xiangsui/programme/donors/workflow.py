"""The donor's states (domain.md §2.4 A), with the call after a time to reflect between sample and laboratory (§0)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.programme_rules.selectors import rule
from xiangsui.foundation.workflow.table import Field, Guard, Machine, State, Step, Transition
from xiangsui.programme.hla.services import changes_record, loci_typed

from .codes import Axis, Consent, Family, Removal, Status, Willing
from .models import Deferral, Donor
from .permissions import may_register

S = Status


def _age_fits(donor: Donor, step: Step) -> bool:
    on, at = step.day, donor.organisation
    age = on.year - donor.birth_year
    return rule("donor.join_age_min", on=on, at=at).value <= age <= rule("donor.join_age_max", on=on, at=at).value


def _agreed(donor: Donor, step: Step) -> bool:
    return donor.consents.filter(
        kind=Consent.JOINING, withdrawn_at=None, given_at__lte=step.occurred_at + dt.timedelta(minutes=1)
    ).exists()


def _attributed(donor: Donor, step: Step) -> bool:
    return donor.recruited_by_id is not None or donor.recruiter_id is not None


def _typed(donor: Donor, step: Step) -> bool:
    typing = donor.typings.filter(current=True).first()
    needed = rule("donor.listing_loci", on=step.day, at=donor.organisation).value
    return typing is not None and set(needed) <= set(loci_typed(typing.gl))


def _reflected(donor: Donor, step: Step) -> bool:
    days = rule("donor.reflection_days", on=step.day, at=donor.organisation).value
    return step.occurred_at - donor.status_since >= dt.timedelta(days=days)


def _willing(donor: Donor, step: Step) -> bool:
    return step.values.get("willing") == Willing.YES


def _until_ahead(donor: Donor, step: Step) -> bool:
    return bool(step.values["until"] > step.day)


def _interval_over(donor: Donor, step: Step) -> bool:
    months = rule("donor.second_donation_interval", on=step.day, at=donor.organisation).value
    # A month of the rule is counted as thirty-one days: it errs, by days, on the side of the donor's safety.
    return step.occurred_at - donor.status_since >= dt.timedelta(days=31 * months)


AGE = Guard("age", _("年龄不在入库规则之内。"), _age_fits)
CONSENT = Guard("consent", _("还没有签署加入资料库的知情同意书。"), _agreed)
ATTRIBUTION = Guard("attribution", _("请先填写招募人或招募组织（谁招募谁负责）。"), _attributed)
TYPED = Guard("typed", _("分型还不完整，缺少入库必需的位点。"), _typed)
REFLECTED = Guard("reflected", _("静思期还没有满。"), _reflected)
WILLING = Guard("willing", _("只有本人表示愿意，才能送检。"), _willing)
INTERVAL = Guard("interval", _("距上次捐献的间隔还不够。"), _interval_over)
UNTIL = Guard("until", _("暂缓截止日期必须在今天之后。"), _until_ahead)


def _defer(step: Step) -> None:
    Deferral.objects.bulk_create(
        Deferral(
            donor=donor,
            reason=step.values["reason"],
            axis=step.values["axis"],
            until=step.values["until"],
            recorded_at=clock.now(),
        )
        for donor in step.rows
    )


def _end_deferral(step: Step) -> None:
    Deferral._base_manager.filter(donor__in=[row.pk for row in step.rows], ended_at=None).update(ended_at=clock.now())


def _undo_defer(donor: Donor, event: Event) -> None:
    donor.deferrals.filter(ended_at=None).update(ended_at=clock.now())


def _undo_ending(donor: Donor, event: Event) -> None:
    """Open the deferral again that the step had ended."""
    if event.details["from"] == S.DEFERRED:
        last = donor.deferrals.order_by("-recorded_at").first()
        if last is not None:
            last.ended_at = None
            last.save(update_fields=["ended_at"])


def _still_agreed(donor: Donor, event: Event) -> None:
    """Nobody comes back onto the register by a mis-click taken back who has taken his consent back meanwhile."""
    if not donor.consents.filter(kind=Consent.JOINING, withdrawn_at=None).exists():
        raise Refusal(_("本人已撤回加入资料库的同意，不能撤回退库。"), code="guard.consent")


def _undo_seen(donor: Donor, event: Event) -> None:
    changes_record([donor.pk])


def _searchable_changed(step: Step) -> None:
    changes_record([donor.pk for donor in step.rows])


_REASON = Field("reason", _("原因"), choices=dict(Removal.choices))
_SEEN: tuple[Any, ...] = (_searchable_changed,)

DONOR = Machine(
    name="donor",
    title=_("志愿捐献者"),
    states=(
        State(S.LEAD, S.LEAD.label),
        State(S.ENROLLED, S.ENROLLED.label),
        State(S.SAMPLED, S.SAMPLED.label),
        State(S.REFLECTING, S.REFLECTING.label),
        State(S.IN_LAB, S.IN_LAB.label),
        State(S.LISTED, S.LISTED.label, wmda="AV"),
        State(S.RESERVED, S.RESERVED.label, wmda="RS"),
        State(S.DEFERRED, S.DEFERRED.label, wmda="TU"),
        State(S.DONATED, S.DONATED.label, wmda="TU"),
        State(S.RETIRED, S.RETIRED.label, wmda="DE", final=True),
    ),
    transitions=(
        Transition(
            "enrol",
            _("登记"),
            sources=(S.LEAD,),
            target=S.ENROLLED,
            allowed=may_register,
            guards=(AGE, CONSENT, ATTRIBUTION),
            tone="primary",
        ),
        Transition(
            "sample",
            _("采样"),
            sources=(S.ENROLLED,),
            target=S.SAMPLED,
            allowed=may_register,
            guards=(CONSENT,),
            tone="primary",
        ),
        Transition(
            "reflect", _("进入静思期"), sources=(S.SAMPLED,), target=S.REFLECTING, allowed=may_register, tone="primary"
        ),
        Transition(
            "send_to_lab",
            _("回访后送检"),
            sources=(S.REFLECTING,),
            target=S.IN_LAB,
            allowed=may_register,
            guards=(REFLECTED, WILLING),
            fields=(
                Field("willing", _("如果配型相合，是否仍愿意捐献"), choices=dict(Willing.choices)),
                Field("understood", _("是否了解捐献过程"), choices={"yes": _("是"), "no": _("否")}),
                Field("family", _("家人态度（只作记录）"), choices=dict(Family.choices), required=False),
            ),
            tone="primary",
        ),
        Transition(
            "list",
            _("入库"),
            sources=(S.IN_LAB,),
            target=S.LISTED,
            allowed=may_register,
            guards=(TYPED, CONSENT),
            effects=_SEEN,
            undo_effects=(_undo_seen,),
            automatic=True,
            tone="primary",
        ),
        Transition(
            "defer",
            pgettext_lazy("step", "暂缓"),
            sources=(S.LISTED,),
            target=S.DEFERRED,
            allowed=may_register,
            guards=(UNTIL,),
            fields=(
                _REASON,
                Field("axis", _("保护对象"), choices=dict(Axis.choices)),
                Field("until", _("至"), kind="date"),
            ),
            effects=(_defer, *_SEEN),
            undo_effects=(_undo_defer, _undo_seen),
        ),
        Transition(
            "reinstate",
            _("恢复在库"),
            sources=(S.DEFERRED,),
            target=S.LISTED,
            allowed=may_register,
            effects=(_end_deferral, *_SEEN),
            undo_effects=(_undo_ending, _undo_seen),
            automatic=True,
            tone="primary",
        ),
        Transition(
            "reserve",
            pgettext_lazy("step", "预留"),
            sources=(S.LISTED,),
            target=S.RESERVED,
            allowed=may_register,
            effects=_SEEN,
            undo_effects=(_undo_seen,),
        ),
        Transition(
            "release",
            _("解除预留"),
            sources=(S.RESERVED,),
            target=S.LISTED,
            allowed=may_register,
            effects=_SEEN,
            undo_effects=(_undo_seen,),
            automatic=True,
        ),
        Transition(
            "donate",
            _("捐献完成"),
            sources=(S.RESERVED,),
            target=S.DONATED,
            allowed=may_register,
            effects=_SEEN,
            undo_effects=(_undo_seen,),
        ),
        Transition(
            "relist",
            _("捐献后重新在库"),
            sources=(S.DONATED,),
            target=S.LISTED,
            allowed=may_register,
            guards=(CONSENT, INTERVAL),
            effects=_SEEN,
            undo_effects=(_undo_seen,),
        ),
        Transition(
            "retire",
            pgettext_lazy("step", "退库"),
            sources=tuple(status for status in S.values if status != S.RETIRED),
            target=S.RETIRED,
            allowed=may_register,
            fields=(_REASON,),
            effects=(_end_deferral, *_SEEN),
            undo_effects=(_still_agreed, _undo_ending, _undo_seen),
            automatic=True,
            tone="danger",
        ),
    ),
    # Listed for figures means on the register: reserved and deferred donors are still on it.
    stocks={
        "donors.listed": (S.LISTED, S.RESERVED, S.DEFERRED),
        "donors.available": (S.LISTED,),
    },
)
