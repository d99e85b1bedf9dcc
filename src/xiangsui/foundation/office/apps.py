from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OfficeConfig(AppConfig):
    name = "xiangsui.foundation.office"
    label = "office"

    def ready(self) -> None:
        from xiangsui.foundation.screens.registry import NavigationItem, register_navigation

        from . import permissions

        register_navigation(
            NavigationItem(_("指标"), "office:indicators", "chart-column", permissions.may_read_figures, order=60)
        )
        register_navigation(
            NavigationItem(_("组织"), "office:organisations", "building-2", permissions.may_read, order=70)
        )
        register_navigation(NavigationItem(_("规则"), "office:rules", "file-text", permissions.may_read, order=80))
        register_navigation(
            NavigationItem(_("流程"), "office:workflows", "list-checks", permissions.may_read, order=90)
        )
