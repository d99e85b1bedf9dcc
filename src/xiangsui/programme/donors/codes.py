"""Codes that the donor's side shares with other registries, with their exact words."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Sex(models.TextChoices):
    MALE = "M", pgettext_lazy("sex", "男")
    FEMALE = "F", pgettext_lazy("sex", "女")


class Abo(models.TextChoices):
    A = "A", "A"
    B = "B", "B"
    AB = "AB", "AB"
    O = "O", "O"  # noqa: E741  the blood group's name


class Rhesus(models.TextChoices):
    POSITIVE = "+", _("阳性")
    NEGATIVE = "-", _("阴性")


class Status(models.TextChoices):
    """The register status of domain.md §2.4 A, with the time to reflect between sample and laboratory (§0)."""

    LEAD = "lead", _("意向")
    ENROLLED = "enrolled", _("已登记")
    SAMPLED = "sampled", _("已采样")
    REFLECTING = "reflecting", _("静思期")
    IN_LAB = "in_lab", _("检测中")
    LISTED = "listed", _("在库可用")
    DEFERRED = "deferred", _("暂缓")
    RESERVED = "reserved", _("预留")
    DONATED = "donated", _("已捐献")
    RETIRED = "retired", _("退库")


class Removal(models.TextChoices):
    """Why somebody is no longer listed: WMDA's codes (data dictionary, EMDIS field 417)."""

    DO = "DO", _("超龄")
    DD = "DD", _("去世")
    MR = "MR", _("健康原因")
    PR = "PR", _("个人原因")
    MO = "MO", _("迁往境外")
    UC = "UC", _("失去联系")
    TX = "TX", _("移植后")
    TQ = "TQ", _("分型存疑")
    OT = "OT", _("其他")
    UK = "UK", _("不详")


class Consent(models.TextChoices):
    """What a donor agrees to, one by one (domain.md §2.3, PIPL Art 29)."""

    JOINING = "joining", _("加入捐献者资料库")
    SAMPLE_KEPT = "sample_kept", _("留样")
    GENETIC_DATA = "genetic_data", _("处理HLA分型等基因信息")
    NATIONAL_SHARING = "national_sharing", _("与国家资料库共享")
    BLOOD_SERVICE = "blood_service", _("与血站共享")
    PUBLICITY = "publicity", _("宣传")
    ABROAD = "abroad", _("向境外提供")


class Axis(models.TextChoices):
    """Whom a deferral protects (WMDA donor medical suitability): the donor strictly, the recipient more permissively."""

    DONOR = "donor", _("捐献者安全")
    RECIPIENT = "recipient", _("受者安全")


class Willing(models.TextChoices):
    """The answer to the call after the time to reflect: would you still donate if you were matched?"""

    YES = "yes", _("愿意")
    NO = "no", _("不愿意")
    LATER = "later", _("再考虑")


class Family(models.TextChoices):
    """The family's attitude: recorded, never a condition (domain.md §0)."""

    SUPPORTS = "supports", _("支持")
    UNDECIDED = "undecided", _("未表态")
    OBJECTS = "objects", _("不支持")
    NOT_ASKED = "not_asked", _("未询问")
