from django.apps import AppConfig


class ProgrammeRulesConfig(AppConfig):
    name = "xiangsui.foundation.programme_rules"
    label = "programme_rules"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from .services import rules_ship

        post_migrate.connect(lambda **kwargs: rules_ship(), sender=self, weak=False, dispatch_uid="rules_ship")
