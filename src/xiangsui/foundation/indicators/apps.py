from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "xiangsui.foundation.indicators"
    label = "indicators"

    def ready(self) -> None:
        from . import jobs  # noqa: F401  declares the roll-up
