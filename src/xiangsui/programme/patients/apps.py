from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PatientsConfig(AppConfig):
    name = "xiangsui.programme.patients"
    label = "patients"

    def ready(self) -> None:
        from django.urls import reverse

        from xiangsui.foundation.screens.registry import (
            HomeAction,
            HomeCard,
            NavigationItem,
            register_action,
            register_home,
            register_navigation,
        )

        from . import permissions, selectors

        register_navigation(NavigationItem(_("患者检索"), "patients:list", "search", permissions.may_view, order=10))
        register_action(HomeAction(_("新建检索"), "patients:new", "search", permissions.may_submit, order=10))
        register_home(
            HomeCard(
                label=_("患者检索申请"),
                allowed=permissions.may_view,
                count=lambda assignment: selectors.requests_count(assignment=assignment),
                url=lambda assignment: reverse("patients:list"),
                hint=_("本单位提交的检索"),
                order=20,
            )
        )
