from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "xiangsui.foundation.orgs"
    label = "orgs"
