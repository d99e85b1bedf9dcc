from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "xiangsui.faces.demo"
    label = "demo"

    def ready(self) -> None:
        from . import jobs  # noqa: F401  declares the background job
