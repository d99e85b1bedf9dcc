from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "xiangsui.foundation.privacy"
    label = "privacy"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate, pre_migrate

        from xiangsui.foundation.jobs.registry import before_work

        from .services import keys_ensure, keys_ensure_before_migrating

        before_work.append(keys_ensure)

        # All receivers are asked before the first room's migration runs.
        pre_migrate.connect(
            lambda using, **kwargs: keys_ensure_before_migrating(using=using),
            sender=self,
            weak=False,
            dispatch_uid="keys_ensure",
        )
        # The first migration makes the keys; every later one refuses to go on without them.
        post_migrate.connect(lambda **kwargs: keys_ensure(), sender=self, weak=False, dispatch_uid="keys_ensure")
