from django.urls import path

from . import views

app_name = "patients"
urlpatterns = [
    path("", views.RequestList.as_view(), name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:request_id>/", views.detail, name="detail"),
    path("<uuid:request_id>/donors/<uuid:subject>/", views.explain, name="explain"),
]
