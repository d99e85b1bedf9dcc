from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from xiangsui.foundation.accounts.models import User
from xiangsui.foundation.kit.ids import uuid7
from xiangsui.foundation.orgs.models import Organisation


class SearchRequest(models.Model):
    """A hospital's question: which donors match this typing. It holds the hospital's own reference, no identity."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("医院"))
    reference = models.CharField(_("院内编号"), max_length=40)
    gl = models.TextField("GL String")
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("提交人"))
    requested_at = models.DateTimeField(_("提交时间"), db_index=True)

    objects = ScopedManager(tree="organisation__path__startswith")

    class Meta:
        verbose_name = _("患者检索申请")
        verbose_name_plural = _("患者检索申请")
        indexes = [models.Index(fields=["organisation", "-requested_at"])]

    def __str__(self) -> str:
        return self.reference
