"""The pages of allauth that the site uses. There is no sign-up, and no reset by e-mail: a station has no mail server."""

from allauth.account import views
from django.urls import path

from .views import SignIn

urlpatterns = [
    path("login/", SignIn.as_view(), name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
]
