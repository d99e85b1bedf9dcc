from django.apps import AppConfig


class HlaConfig(AppConfig):
    name = "xiangsui.programme.hla"
    label = "hla"

    def ready(self) -> None:
        from . import jobs  # noqa: F401  declares the room's background jobs
