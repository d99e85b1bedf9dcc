from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "xiangsui.faces.web"
    label = "web"

    def ready(self) -> None:
        from xiangsui.foundation.screens.registry import (
            HomeAction,
            NavigationItem,
            register_action,
            register_navigation,
        )

        from .views import may_watch_jobs

        register_navigation(NavigationItem(_("后台任务"), "jobs", "layers", may_watch_jobs, order=90))
        register_action(HomeAction(_("后台任务与检索索引"), "jobs", "layers", may_watch_jobs, order=90))
