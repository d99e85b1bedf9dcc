from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "xiangsui.foundation.ledger"
    label = "ledger"

    def ready(self) -> None:
        from . import jobs  # noqa: F401  declares the daily checkpoint
