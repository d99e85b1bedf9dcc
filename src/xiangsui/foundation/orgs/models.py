from django.db import models
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

from xiangsui.foundation.kit.ids import uuid7


class Kind(models.TextChoices):
    """What an organisation is. Kinds decide what may be done there, not where it stands in the tree."""

    NATION = "nation", _("国家管理中心")
    PROVINCE = "province", _("省级分库")
    CITY = "city", _("市级工作站")
    COUNTY = "county", _("县级红十字会")
    BLOOD_STATION = "blood_station", _("血站")
    DONATION_HOUSE = "donation_house", _("爱心献血屋")
    VEHICLE = "vehicle", _("献血车")
    CREW = "crew", _("采血车组")
    LABORATORY = "laboratory", _("HLA组织配型实验室")
    HOSPITAL = "hospital", _("移植/采集医院")
    UNIVERSITY = "university", _("高校")
    TEAM = "team", _("志愿服务队")
    PARTNER = "partner", _("合作单位")


class Organisation(MP_Node):
    """One node of the tree. Its `path` is the scope of everything below it (architecture, mechanism 3)."""

    uuid = models.UUIDField(unique=True, default=uuid7, editable=False)
    code = models.CharField(_("编码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=120)
    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices, db_index=True)
    division_code = models.CharField(_("行政区划代码"), max_length=12, blank=True)

    # Siblings stay in the order they were made; names sort differently in every language.
    node_order_by: list[str] = []

    class Meta:
        verbose_name = _("组织")
        verbose_name_plural = _("组织")

    def __str__(self) -> str:
        return self.name

    def contains(self, other: "Organisation") -> bool:
        """Whether `other` is this organisation or stands below it."""
        return other.path.startswith(self.path)
