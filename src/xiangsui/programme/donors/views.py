from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.numbering import grid_compact
from xiangsui.foundation.kit.text import compact
from xiangsui.foundation.screens.access import requires
from xiangsui.foundation.screens.lists import Column, ListPage

from . import permissions, selectors, services
from .file import donor_file
from .forms import DonorFilter, DonorForm, TypingForm


class DonorList(ListPage):
    title = gettext_lazy("志愿捐献者")
    default_sort = "-registered_on"
    filter_form = DonorFilter
    template_name = "donors/list.html"
    empty_title = gettext_lazy("没有符合条件的捐献者")
    empty_hint = gettext_lazy("放宽筛选条件，或登记新的捐献者。")
    columns = (
        Column(
            "GRID", lambda row: row.grid_print, link=lambda row: reverse("donors:detail", args=[row.uuid]), sort="grid"
        ),
        Column(gettext_lazy("所属组织"), lambda row: row.organisation.name),
        Column(gettext_lazy("性别"), lambda row: row.get_sex_display()),
        Column(gettext_lazy("出生年"), lambda row: row.birth_year, sort="birth_year", numeric=True),
        Column(gettext_lazy("ABO血型"), lambda row: row.abo),
        Column(gettext_lazy("状态"), lambda row: row.get_status_display()),
        Column(gettext_lazy("登记日期"), lambda row: row.registered_on, sort="registered_on"),
    )

    @staticmethod
    def allowed(assignment: Assignment) -> bool:
        return permissions.may_view(assignment)

    def rows(self, request: WorkRequest, filters: dict[str, Any]) -> Any:
        rows = selectors.donors_visible(assignment=request.assignment)
        if "grid" in filters:
            filters = {**filters, "grid": grid_compact(filters["grid"])}
        return rows.filter(**filters)

    def context(self, request: WorkRequest) -> dict[str, Any]:
        return {"may_register": permissions.may_register(request.assignment)}


def _donor(request: WorkRequest, donor_id: uuid.UUID) -> Any:
    donor = selectors.donors_visible(assignment=request.assignment).filter(pk=donor_id).first()
    if donor is None:
        raise Http404
    return donor


@requires(permissions.may_view)
def detail(request: WorkRequest, donor_id: uuid.UUID) -> HttpResponse:
    """A donor's file (一人一档): what the register holds, and what can be done next."""
    file = donor_file(donor=_donor(request, donor_id), assignment=request.assignment)
    context = {"file": file, "donor": file.donor, "typings": file.typings, "may_register": file.may_register}
    return render(request, "donors/detail.html", context)


@requires(permissions.may_register)
def new(request: WorkRequest) -> HttpResponse:
    """Register one donor."""
    form = DonorForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            [donor] = services.donors_register(
                drafts=[
                    services.DonorDraft(
                        organisation=request.assignment.organisation,
                        sex=data["sex"],
                        birth_year=data["birth_year"],
                        abo=data["abo"],
                        rhesus=data["rhesus"],
                        grid=data["grid"],
                        typing=compact(data["typing"]),
                    )
                ],
                actor=request.assignment.uuid,
            )
        except Refusal as refusal:
            field = {"donor.grid": "grid", "donor.grid_taken": "grid", "donor.birth_year": "birth_year"}
            form.add_error(field.get(refusal.code, "typing"), str(refusal))
        else:
            messages.success(request, _("已登记，下一次检索即可找到。") if data["typing"] else _("已登记。"))
            return redirect("donors:detail", donor_id=donor.pk)
    return render(request, "donors/new.html", {"form": form}, status=400 if form.errors else 200)


@requires(permissions.may_register)
def typing(request: WorkRequest, donor_id: uuid.UUID) -> HttpResponse:
    """Record a new typing of a donor."""
    donor = _donor(request, donor_id)
    form = TypingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.typing_record(donor=donor, gl=compact(form.cleaned_data["gl"]), actor=request.assignment.uuid)
        except Refusal as refusal:
            form.add_error("gl", str(refusal))
        else:
            messages.success(request, _("新的分型已记录，下一次检索即按它计算。"))
            return redirect("donors:detail", donor_id=donor.pk)
    return render(request, "donors/typing.html", {"form": form, "donor": donor}, status=400 if form.errors else 200)
