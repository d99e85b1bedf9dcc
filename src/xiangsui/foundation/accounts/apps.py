from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "xiangsui.foundation.accounts"
    label = "accounts"
