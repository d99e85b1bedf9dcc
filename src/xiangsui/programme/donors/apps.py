from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DonorsConfig(AppConfig):
    name = "xiangsui.programme.donors"
    label = "donors"

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
        from xiangsui.programme.hla.sources import Source, register_source

        from . import indicators, jobs, permissions, selectors, workflow  # noqa: F401  declare themselves

        register_source(Source(everything=selectors.search_rows_all, some=selectors.search_rows_some))
        register_navigation(NavigationItem(_("捐献者"), "donors:list", "users", permissions.may_view, order=20))
        register_action(HomeAction(_("登记捐献者"), "donors:new", "plus", permissions.may_register, order=20))
        register_home(
            HomeCard(
                label=_("在库志愿捐献者"),
                allowed=permissions.may_view,
                count=lambda assignment: selectors.donors_listed_count(assignment=assignment),
                url=lambda assignment: reverse("donors:list") + "?status=listed",
                hint=_("可供检索的入库志愿者"),
                order=10,
            )
        )
