"""What is done to a donor from his file: steps of the workflow, reading who it is, consents, transfers."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.people.selectors import masked
from xiangsui.foundation.people.services import person_reveal
from xiangsui.foundation.screens.access import requires
from xiangsui.foundation.workflow.forms import StepForm
from xiangsui.foundation.workflow.services import transition_take

from . import permissions, selectors, services
from .forms import FindForm, NationalForm, RevealForm, TransferForm
from .models import Donor, Transfer
from .workflow import DONOR


def _donor(request: WorkRequest, donor_id: uuid.UUID) -> Donor:
    donor = selectors.donors_visible(assignment=request.assignment).filter(pk=donor_id).first()
    if donor is None:
        raise Http404
    return donor


def _crumbs(donor: Donor, here: object) -> list[dict[str, object]]:
    return [
        {"label": _("志愿捐献者"), "url": reverse("donors:list")},
        {"label": donor.grid_print, "url": reverse("donors:detail", args=[donor.pk])},
        {"label": here},
    ]


@requires(permissions.may_register)
def step(request: WorkRequest, donor_id: uuid.UUID, name: str) -> HttpResponse:
    """Take a step of the workflow: at once where nothing is to be said, otherwise through its form."""
    donor = _donor(request, donor_id)
    transition = next((one for one in DONOR.transitions if one.name == name), None)
    if transition is None:
        raise Http404
    form = StepForm(transition, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = {key: value for key, value in form.cleaned_data.items() if value not in (None, "")}
        try:
            transition_take(machine=DONOR, name=name, rows=[donor], assignment=request.assignment, values=given)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("“%(step)s”已记录。") % {"step": transition.label})
            return redirect("donors:detail", donor_id=donor.pk)
    context = {"donor": donor, "form": form, "transition": transition, "crumbs": _crumbs(donor, transition.label)}
    return render(request, "donors/step.html", context, status=400 if form.errors else 200)


@requires(permissions.may_view)
def reveal(request: WorkRequest, donor_id: uuid.UUID) -> HttpResponse:
    """Who it is, in the clear, for a stated reason; leaves one record. The answer is in no address and no cache."""
    donor = _donor(request, donor_id)
    if donor.person is None:
        raise Http404
    form = RevealForm(request.POST if request.method == "POST" else None)
    identity = None
    if request.method == "POST" and form.is_valid():
        identity = person_reveal(
            person=donor.person,
            reason=form.cleaned_data["reason"],
            actor=request.assignment.uuid,
            organisation=request.assignment.organisation,
        )
    context = {"donor": donor, "form": form, "identity": identity, "crumbs": _crumbs(donor, _("身份信息"))}
    return render(request, "donors/reveal.html", context, status=400 if form.errors else 200)


@require_POST
@requires(permissions.may_register)
def consent(request: WorkRequest, donor_id: uuid.UUID, kind: str) -> HttpResponse:
    """Give a consent, or take it back: one is as easy as the other."""
    donor = _donor(request, donor_id)
    if kind not in services.Consent.values:
        raise Http404
    if request.POST.get("withdraw"):
        services.consent_withdraw(donor=donor, kind=kind, actor=request.assignment.uuid)
        messages.success(request, _("已撤回。"))
    else:
        services.consent_give(donor=donor, kind=kind, text_version=services.PAPER, actor=request.assignment.uuid)
        messages.success(request, _("已记录。"))
    return redirect("donors:detail", donor_id=donor.pk)


@requires(permissions.may_register)
def transfer(request: WorkRequest, donor_id: uuid.UUID) -> HttpResponse:
    """Offer a donor to another organisation."""
    donor = _donor(request, donor_id)
    form = TransferForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.transfer_ask(donor=donor, target=form.cleaned_data["target"], assignment=request.assignment)
        except Refusal as refusal:
            form.add_error("target", str(refusal))
        else:
            messages.success(request, _("已提出，等待对方接收。"))
            return redirect("donors:detail", donor_id=donor.pk)
    context = {"donor": donor, "form": form, "crumbs": _crumbs(donor, _("转移档案"))}
    return render(request, "donors/transfer.html", context, status=400 if form.errors else 200)


@requires(permissions.may_register)
def transfers(request: WorkRequest) -> HttpResponse:
    """What waits to be received."""
    return render(
        request, "donors/transfers.html", {"transfers": selectors.transfers_open(assignment=request.assignment)}
    )


@require_POST
@requires(permissions.may_register)
def transfer_decide(request: WorkRequest, transfer_id: uuid.UUID) -> HttpResponse:
    """Receive a donor who was offered, or refuse."""
    found: Transfer | None = next(
        (one for one in selectors.transfers_open(assignment=request.assignment) if one.pk == transfer_id), None
    )
    if found is None:
        raise Http404
    received = bool(request.POST.get("receive"))
    services.transfer_decide(transfer=found, received=received, assignment=request.assignment)
    messages.success(request, _("已接收。") if received else _("已退回。"))
    return redirect("donors:transfers")


@requires(permissions.may_register)
def national(request: WorkRequest, donor_id: uuid.UUID) -> HttpResponse:
    """Tick that the national system has the donor, under its number."""
    donor = _donor(request, donor_id)
    start = {"cmdp_number": donor.cmdp_number, "on": donor.national_on}
    form = NationalForm(request.POST if request.method == "POST" else None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            services.national_entered(donor=donor, actor=request.assignment.uuid, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error("cmdp_number", str(refusal))
        else:
            messages.success(request, _("已记录。"))
            return redirect("donors:detail", donor_id=donor.pk)
    context = {"donor": donor, "form": form, "crumbs": _crumbs(donor, _("录入国家系统"))}
    return render(request, "donors/national.html", context, status=400 if form.errors else 200)


@requires(permissions.may_view)
def find(request: WorkRequest) -> HttpResponse:
    """Find a donor by who it is. What was typed travels in the form's body: it stands in no address and no log."""
    form = FindForm(request.POST if request.method == "POST" else None)
    found: list[dict[str, object]] | None = None
    if request.method == "POST" and form.is_valid():
        donors = list(
            selectors.donors_found(assignment=request.assignment, text=form.cleaned_data["q"]).select_related("person")[
                :50
            ]
        )
        names = masked(people=[donor.person for donor in donors if donor.person])
        found = [{"donor": donor, "identity": names.get(donor.person.pk) if donor.person else None} for donor in donors]
    context = {"form": form, "found": found}
    return render(request, "donors/find.html", context)
