"""The register's figures (domain.md §6.2)."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.indicators.table import Indicator

LISTED = Indicator(
    code="donors.listed",
    title=_("库容"),
    unit=_("人"),
    meaning=_("在库志愿捐献者人数，含预留和暂缓的。"),
    kind="stock",
    events=("donors.listed",),
    drill=lambda assignment: reverse("donors:list"),
)
SAMPLED = Indicator(
    code="donors.sampled",
    title=_("血样采集"),
    unit=_("人份"),
    meaning=_("期间内采集血样的人数，每人一份。"),
    kind="count",
    events=("donor.sample",),
    drill=lambda assignment: reverse("donors:list"),
)
DONATIONS = Indicator(
    code="donors.donations",
    title=_("造血干细胞捐献"),
    unit=_("例"),
    meaning=_("期间内完成的捐献例数；同一人第二次捐献另计一例。"),
    kind="count",
    events=("donor.donate",),
    drill=lambda assignment: reverse("donors:list") + "?status=donated",
)
DONORS_DONATED = Indicator(
    code="donors.people_donated",
    title=_("捐献人数"),
    unit=_("人"),
    meaning=_("期间内捐献过的人数；同一人捐献两次只计一人。"),
    kind="distinct",
    events=("donor.donate",),
)
UTILISATION = Indicator(
    code="donors.utilisation",
    title=_("库容使用率"),
    unit=_("例/千人"),
    meaning=_("每一千名在库志愿捐献者的累计捐献例数。"),
    kind="ratio",
    numerator="donors.donations",
    denominator="donors.listed",
    scale=1000,
)
RETIRED = Indicator(
    code="donors.retired",
    title=_("退库"),
    unit=_("人"),
    meaning=_("期间内退库的人数，原因另有分类。"),
    kind="count",
    events=("donor.retire",),
    drill=lambda assignment: reverse("donors:list") + "?status=retired",
)
TURNAROUND = Indicator(
    code="donors.sample_to_listed",
    title=_("入库周期"),
    unit=_("天"),
    meaning=_("从采样到入库的天数，取中位数。"),
    kind="duration",
    events=("donor.list",),
    begins=("donor.sample",),
)
