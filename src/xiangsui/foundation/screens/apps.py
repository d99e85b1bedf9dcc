from django.apps import AppConfig


class ScreensConfig(AppConfig):
    name = "xiangsui.foundation.screens"
    label = "screens"
