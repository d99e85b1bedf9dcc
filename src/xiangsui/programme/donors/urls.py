from django.urls import path

from . import views

app_name = "donors"
urlpatterns = [
    path("", views.DonorList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:donor_id>/", views.detail, name="detail"),
    path("<uuid:donor_id>/typing/", views.typing, name="typing"),
]
