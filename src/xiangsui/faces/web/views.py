from __future__ import annotations

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from xiangsui.foundation.accounts.models import Assignment
from xiangsui.foundation.accounts.requests import WorkRequest
from xiangsui.foundation.accounts.roles import Role
from xiangsui.foundation.jobs.selectors import jobs_active, jobs_recent
from xiangsui.foundation.kit.pagination import total_text
from xiangsui.foundation.screens.access import requires
from xiangsui.foundation.screens.registry import actions_for, home_for
from xiangsui.programme.hla.selectors import index_state


def _anyone(assignment: Assignment) -> bool:
    return True


def may_watch_jobs(assignment: Assignment) -> bool:
    """Administrators and the registry's staff see the background jobs and the index."""
    return assignment.role in {Role.ADMINISTRATOR, Role.PROVINCE_STAFF}


@requires(_anyone)
def home(request: WorkRequest) -> HttpResponse:
    """What rooms registered for this role: numbers that open their rows, and the work that runs."""
    cards = [
        {
            "label": card.label,
            "value": total_text(card.count(request.assignment)),
            "url": card.url(request.assignment),
            "hint": card.hint,
        }
        for card in home_for(request.assignment)
    ]
    actions = [
        {"label": action.label, "url": reverse(action.url_name), "icon": action.icon, "hint": action.hint}
        for action in actions_for(request.assignment)
    ]
    context = {
        "cards": cards,
        "actions": actions,
        "jobs": jobs_active(),
        "watches_jobs": may_watch_jobs(request.assignment),
    }
    return render(request, "web/_jobs_running.html" if request.htmx else "web/home.html", context)


@requires(may_watch_jobs)
def jobs(request: WorkRequest) -> HttpResponse:
    """Background jobs and the state of the search index."""
    context = {"jobs": jobs_recent(), "index": index_state()}
    return render(request, "web/_jobs.html" if request.htmx else "web/jobs.html", context)


@requires(lambda assignment: assignment.role == Role.ADMINISTRATOR)
def design(request: WorkRequest) -> HttpResponse:
    """Every component in every state, for those who build pages."""
    return render(request, "screens/gallery.html")


def health(request: HttpRequest) -> HttpResponse:
    """For supervisors: the site answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    # Without context processors: whatever broke may be one of them.
    from django.template.loader import render_to_string

    return HttpResponse(render_to_string("500.html"), status=500)
