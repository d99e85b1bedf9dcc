from django.urls import include, path

from xiangsui.foundation.accounts.views import switch_assignment

from . import views

handler404 = "xiangsui.faces.web.views.not_found"
handler403 = "xiangsui.faces.web.views.forbidden"
handler500 = "xiangsui.faces.web.views.broken"

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.health, name="health"),
    path("jobs/", views.jobs, name="jobs"),
    path("design/", views.design, name="design"),
    path("assignment/", switch_assignment, name="switch_assignment"),
    path("accounts/", include("xiangsui.foundation.accounts.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("search/", include("xiangsui.programme.patients.urls")),
    path("office/", include("xiangsui.foundation.office.urls")),
    path("donors/", include("xiangsui.programme.donors.urls")),
]
