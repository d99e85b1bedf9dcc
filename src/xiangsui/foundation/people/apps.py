from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "xiangsui.foundation.people"
    label = "people"
