from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.http import require_POST

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.indicators import table as indicator_table
from xiangsui.foundation.indicators.selectors import figure
from xiangsui.foundation.kit import clock
from xiangsui.foundation.kit.errors import NotAllowed, Refusal
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.selectors import story
from xiangsui.foundation.orgs import divisions
from xiangsui.foundation.orgs.models import Kind, Organisation
from xiangsui.foundation.orgs.selectors import organisations_below
from xiangsui.foundation.programme_rules.models import RuleVersion
from xiangsui.foundation.programme_rules.selectors import rule_history, rules_in_force
from xiangsui.foundation.programme_rules.services import rule_add, rule_confirm
from xiangsui.foundation.screens.access import requires
from xiangsui.foundation.screens.lists import Column, ListPage
from xiangsui.foundation.screens.templatetags.breaks import listed
from xiangsui.foundation.workflow.selectors import picture
from xiangsui.foundation.workflow.table import machines

from . import permissions
from .forms import FigureForm, OrganisationFilter, RuleFilter, RuleForm

# ------------------------------------------------------------------ rules


# The units of the shipped rules; one that a site adds is shown as it was written.
UNITS = (gettext_noop("岁"), gettext_noop("天"), gettext_noop("月"), gettext_noop("工作日"), gettext_noop("人"))


def _shown(version: RuleVersion) -> str:
    value = version.value
    if isinstance(value, bool):
        return _("是") if value else _("否")
    text = listed(value) if isinstance(value, list) else str(value)
    return f"{text} {_(version.unit)}" if version.unit else text


def _standing(version: RuleVersion) -> str:
    if not version.is_sourced:
        return _("默认值，没有来源")
    return _("已有来源") if version.is_confirmed else _("默认值，尚未确认")


class RuleList(ListPage):
    title = gettext_lazy("规则")
    default_sort = "name"
    filter_form = RuleFilter
    columns = (
        Column(gettext_lazy("名称"), lambda row: row.label, link=lambda row: reverse("office:rule", args=[row.name])),
        Column(gettext_lazy("规则"), lambda row: row.name, sort="name"),
        Column(gettext_lazy("值"), _shown),
        Column(gettext_lazy("适用范围"), lambda row: row.organisation.name if row.organisation else _("全部")),
        Column(gettext_lazy("生效日期"), lambda row: row.valid_from, sort="valid_from"),
        Column(gettext_lazy("状态"), _standing),
        Column(gettext_lazy("来源"), lambda row: row.source, template="office/_source.html"),
    )

    @staticmethod
    def allowed(assignment: Assignment) -> bool:
        return permissions.may_read(assignment)

    def rows(self, request: WorkRequest, filters: dict[str, Any]) -> QuerySet[Any]:
        rows = rules_in_force()
        return rows.filter(name__icontains=filters["name"].strip()) if "name" in filters else rows


@requires(permissions.may_read)
def rule_page(request: WorkRequest, name: str) -> HttpResponse:
    """A rule with all its versions; administrators add one."""
    history = list(rule_history(name=name))
    if not history:
        raise Http404
    form = RuleForm(request.POST or None)
    may_add = permissions.may_add_rule(request.assignment)
    if request.method == "POST":
        if not may_add:
            raise NotAllowed(_("只有管理员可以设置规则。"), code="rule.not_allowed")
        if form.is_valid():
            value: Any = form.cleaned_data["value"].strip()
            where = request.assignment.organisation
            try:
                rule_add(
                    name=name,
                    value={"true": True, "false": False}.get(value.lower(), value),
                    valid_from=form.cleaned_data["valid_from"],
                    source=form.cleaned_data["source"],
                    organisation=None if where.kind == Kind.NATION else where,
                    actor=request.assignment.uuid,
                )
            except Refusal as refusal:
                form.add_error("valid_from" if refusal.code == "rule.same_day" else "value", str(refusal))
            else:
                messages.success(request, _("新的版本已登记，从生效日期起适用。"))
                return redirect("office:rule", name=name)
    context = {
        "rule": history[0],
        "history": [
            {
                "version": version,
                "value": _shown(version),
                "standing": _standing(version),
                "may_confirm": not version.is_confirmed and permissions.may_confirm(request.assignment, version.needs),
            }
            for version in history
        ],
        "form": form if may_add else None,
        "crumbs": [{"label": _("规则"), "url": reverse("office:rules")}, {"label": history[0].label}],
    }
    return render(request, "office/rule.html", context, status=400 if form.errors else 200)


@require_POST
@requires(permissions.may_read)
def rule_confirmed(request: WorkRequest, version_id: uuid.UUID) -> HttpResponse:
    """Confirm a version, by somebody whose confirmation it needs."""
    version = RuleVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise Http404
    if not permissions.may_confirm(request.assignment, version.needs):
        raise NotAllowed(
            _("这条规则须由“%(who)s”的人确认。") % {"who": version.get_needs_display()}, code="rule.confirm"
        )
    rule_confirm(version=version, actor=request.assignment.uuid)
    messages.success(request, _("已确认。"))
    return redirect("office:rule", name=version.name)


# ------------------------------------------------------------------ workflows


@requires(permissions.may_read)
def workflows(request: WorkRequest) -> HttpResponse:
    """Every state machine, drawn from its table."""
    context = {"pictures": [picture(machine) for machine in machines()]}
    return render(request, "office/workflows.html", context)


# ------------------------------------------------------------------ indicators


@requires(permissions.may_read_figures)
def indicators(request: WorkRequest) -> HttpResponse:
    """All figures of one's organisation, as of two dates."""
    form = FigureForm(request.GET or None)
    period = _period(form)
    rows = [
        {
            "indicator": one,
            "value": figure_text(figure(indicator=one, organisation=request.assignment.organisation, **period)),
            "drill": one.drill(request.assignment) if one.drill else "",
        }
        for one in indicator_table.indicators()
    ]
    context = {"form": form, "rows": rows, "organisation": request.assignment.organisation, **period}
    return render(request, "office/indicators.html", context)


@requires(permissions.may_read_figures)
def indicator_page(request: WorkRequest, code: str) -> HttpResponse:
    """One figure: what it means, and its value for each organisation directly below one's own."""
    try:
        indicator = indicator_table.find(code)
    except KeyError as error:
        raise Http404 from error
    form = FigureForm(request.GET or None)
    period = _period(form)
    own = request.assignment.organisation
    below = Organisation.objects.get_children(own).order_by("path")
    rows = [
        {"organisation": one, "value": figure_text(figure(indicator=indicator, organisation=one, **period))}
        for one in [own, *below]
    ]
    context = {
        "indicator": indicator,
        "form": form,
        "rows": rows,
        "kind": INDICATOR_KINDS[indicator.kind],
        "parts": [indicator_table.find(one) for one in (indicator.numerator, indicator.denominator) if one],
        "crumbs": [{"label": _("指标"), "url": reverse("office:indicators")}, {"label": indicator.title}],
        **period,
    }
    return render(request, "office/indicator.html", context)


INDICATOR_KINDS = {
    "count": gettext_lazy("计数：期间内发生的次数，更正的减去"),
    "stock": gettext_lazy("存量：截止日的总数"),
    "ratio": gettext_lazy("比率：两个指标相除"),
    "distinct": gettext_lazy("人数：期间内发生过的人，每人计一次"),
    "duration": gettext_lazy("时长：两个事件之间的天数，取中位数"),
}


def _period(form: FigureForm) -> dict[str, Any]:
    data = form.cleaned_data if form.is_bound and form.is_valid() else {}
    recorded = data.get("recorded_until")
    end = dt.datetime.combine(recorded, dt.time.max, tzinfo=clock.BEIJING) if recorded else None
    return {
        "occurred_from": data.get("occurred_from"),
        "occurred_until": data.get("occurred_until") or clock.today(),
        "recorded_until": end,
    }


def figure_text(value: Any) -> str:
    """A figure as it is shown: whole numbers in groups, others with two decimals, a dash for none."""
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


# ------------------------------------------------------------------ organisations


class OrganisationList(ListPage):
    title = gettext_lazy("组织")
    default_sort = "path"
    filter_form = OrganisationFilter
    columns = (
        Column(
            gettext_lazy("名称"),
            lambda row: row.name,
            link=lambda row: reverse("office:organisation", args=[row.uuid]),
        ),
        Column(gettext_lazy("类型"), lambda row: row.get_kind_display()),
        Column(gettext_lazy("编码"), lambda row: row.code, sort="code"),
        Column(gettext_lazy("行政区划"), lambda row: divisions.full_name(row.division_code)),
        Column(gettext_lazy("设立日期"), lambda row: row.opened_on),
        Column(gettext_lazy("撤销日期"), lambda row: row.closed_on or ""),
    )

    @staticmethod
    def allowed(assignment: Assignment) -> bool:
        return permissions.may_read(assignment)

    def rows(self, request: WorkRequest, filters: dict[str, Any]) -> QuerySet[Any]:
        rows = organisations_below(tree=request.assignment.tree)
        if "name" in filters:
            rows = rows.filter(name__contains=filters["name"].strip())
        return rows.filter(kind=filters["kind"]) if "kind" in filters else rows


@requires(permissions.may_read)
def organisation_page(request: WorkRequest, organisation_id: uuid.UUID) -> HttpResponse:
    """An organisation with its history and what stands below it."""
    organisation = organisations_below(tree=request.assignment.tree).filter(uuid=organisation_id).first()
    if organisation is None:
        raise Http404
    context = {
        "organisation": organisation,
        "division": divisions.full_name(organisation.division_code),
        "periods": organisation.periods.select_related("parent").order_by("-valid_from"),
        "children": Organisation.objects.get_children(organisation).order_by("closed_on", "path"),
        "may_read_ledger": permissions.may_read_ledger(request.assignment),
        "crumbs": [{"label": _("组织"), "url": reverse("office:organisations")}, {"label": organisation.name}],
    }
    return render(request, "office/organisation.html", context)


# ------------------------------------------------------------------ ledger


@requires(permissions.may_read_ledger)
def subject_story(request: WorkRequest, subject: uuid.UUID) -> HttpResponse:
    """Everything the ledger holds of a subject, within one's organisation."""
    below = organisations_below(tree=request.assignment.tree).order_by().values("uuid")
    events: list[Event] = list(story(subject=subject).filter(organisation__in=Subquery(below))[:500])
    if not events:
        raise Http404
    return render(request, "office/story.html", {"subject": subject, "events": events})
