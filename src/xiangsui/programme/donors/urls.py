from django.urls import path

from . import actions, views

app_name = "donors"
urlpatterns = [
    path("", views.DonorList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("find/", actions.find, name="find"),
    path("transfers/", actions.transfers, name="transfers"),
    path("transfers/<uuid:transfer_id>/", actions.transfer_decide, name="transfer_decide"),
    path("<uuid:donor_id>/", views.detail, name="detail"),
    path("<uuid:donor_id>/typing/", views.typing, name="typing"),
    path("<uuid:donor_id>/steps/<str:name>/", actions.step, name="step"),
    path("<uuid:donor_id>/identity/", actions.reveal, name="reveal"),
    path("<uuid:donor_id>/consents/<str:kind>/", actions.consent, name="consent"),
    path("<uuid:donor_id>/transfer/", actions.transfer, name="transfer"),
    path("<uuid:donor_id>/national/", actions.national, name="national"),
]
