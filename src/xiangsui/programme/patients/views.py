from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.screens.access import requires
from xiangsui.foundation.screens.lists import Column, ListPage

from . import permissions, results, selectors, services
from .forms import SearchForm
from .models import SearchRequest


class RequestList(ListPage):
    title = gettext_lazy("患者检索")
    export_name = gettext_lazy("患者检索申请")
    default_sort = "-requested_at"
    template_name = "patients/list.html"
    empty_title = gettext_lazy("还没有检索申请")
    empty_hint = gettext_lazy("点“新建检索”，粘贴患者的GL String或填写五个位点。")
    columns = (
        Column(
            gettext_lazy("院内编号"),
            lambda row: row.reference,
            link=lambda row: reverse("patients:detail", args=[row.uuid]),
        ),
        Column(gettext_lazy("医院"), lambda row: row.organisation.name),
        Column(gettext_lazy("提交人"), lambda row: row.requested_by.name),
        Column(
            gettext_lazy("提交时间"),
            lambda row: results.moment(row.requested_at),
            sort="requested_at",
        ),
    )

    @staticmethod
    def allowed(assignment: Assignment) -> bool:
        return permissions.may_view(assignment)

    def rows(self, request: WorkRequest, filters: dict[str, Any]) -> Any:
        return selectors.requests_visible(assignment=request.assignment)

    def context(self, request: WorkRequest) -> dict[str, Any]:
        return {"may_submit": permissions.may_submit(request.assignment)}


@requires(permissions.may_submit)
def new(request: WorkRequest) -> HttpResponse:
    """The form of a new search; a valid one is stored and answered on its own page."""
    form = SearchForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        stored = services.request_submit(
            assignment=request.assignment,
            reference=form.cleaned_data["reference"],
            gl=form.cleaned_data["typing"],
        )
        messages.success(request, _("检索申请已保存。"))
        return redirect("patients:detail", request_id=stored.uuid)
    return render(request, "patients/new.html", {"form": form}, status=400 if form.errors else 200)


@requires(permissions.may_view)
def detail(request: WorkRequest, request_id: uuid.UUID) -> HttpResponse:
    """The ranked donors of a request: a page of them, or all as Excel."""
    stored = selectors.request_get(assignment=request.assignment, request_id=request_id)
    listing = results.Listing.of(stored, request.GET)
    if request.GET.get("export") == "xlsx":
        return results.export(stored, listing)
    template = "patients/_results.html" if request.htmx else "patients/detail.html"
    return render(request, template, {"stored": stored, "listing": listing})


@requires(permissions.may_view)
def explain(request: WorkRequest, request_id: uuid.UUID, subject: uuid.UUID) -> HttpResponse:
    """Why one donor stands where it stands: locus by locus, in plain words."""
    stored: SearchRequest = selectors.request_get(assignment=request.assignment, request_id=request_id)
    line = results.line_of(stored, subject)
    template = "patients/_explain.html" if request.htmx else "patients/explain.html"
    return render(request, template, {"stored": stored, "line": line})
