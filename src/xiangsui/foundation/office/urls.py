from django.urls import path

from . import views

app_name = "office"
urlpatterns = [
    path("rules/", views.RuleList.as_view(), name="rules"),
    path("rules/<uuid:version_id>/confirm/", views.rule_confirmed, name="rule_confirm"),
    path("rules/<str:name>/", views.rule_page, name="rule"),
    path("workflows/", views.workflows, name="workflows"),
    path("indicators/", views.indicators, name="indicators"),
    path("indicators/<str:code>/", views.indicator_page, name="indicator"),
    path("organisations/", views.OrganisationList.as_view(), name="organisations"),
    path("organisations/<uuid:organisation_id>/", views.organisation_page, name="organisation"),
    path("ledger/<uuid:subject>/", views.subject_story, name="story"),
]
