from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "xiangsui.foundation.kit"
    label = "kit"
