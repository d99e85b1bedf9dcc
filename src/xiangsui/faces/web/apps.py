from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "xiangsui.faces.web"
    label = "web"
