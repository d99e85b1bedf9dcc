from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "xiangsui.faces.demo"
    label = "demo"

    def ready(self) -> None:
        from xiangsui.foundation.accounts.demo import Registered, register_demo

        from . import jobs  # noqa: F401  declares the background job
        from .world import PASSWORD, SIGN_INS

        register_demo(Registered(PASSWORD, tuple(who.username for who in SIGN_INS)))
