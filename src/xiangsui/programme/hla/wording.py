"""The engine's errors and reasons in the reader's language. The engine gives code and parameters; this gives words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hlaengine.errors import HlaError
from xiangsui.foundation.kit.errors import Refusal

_ERRORS: dict[str, Any] = {
    "typing.empty": gettext_lazy("分型是空的，至少要有一个位点。"),
    "typing.empty_genotype": gettext_lazy("这个位点没有填任何等位基因。"),
    "typing.bad_character": gettext_lazy("“%(character)s”不能出现在等位基因名称中，正确的写法如 A*02:01。"),
    "typing.bad_name": gettext_lazy("“%(name)s”不是等位基因名称，应写位点、星号和字段，如 A*02:01。"),
    "typing.bad_fields": gettext_lazy(
        "“%(locus)s*%(fields)s”写法不对：应有二至四个字段，每个二至四位数字，如 %(locus)s*02:01；"
        "只知道第一字段时写 %(locus)s*02:XX。"
    ),
    "typing.unknown_code": gettext_lazy(
        "“%(locus)s*%(fields)s”是多等位基因代码（MAC），系统尚未导入代码表；请改写为用“/”连接的等位基因，或用 XX。"
    ),
    "typing.unknown_locus": gettext_lazy("没有“%(locus)s”这个位点；可用的是 A、C、B、DRB1、DQB1 等。"),
    "typing.mixed_loci": gettext_lazy("用“/”或“+”连接的等位基因必须属于同一个位点。"),
    "typing.locus_repeated": gettext_lazy("同一个位点出现了两次；多种可能的基因型请用“|”连接。"),
    "typing.too_many_alleles": gettext_lazy(
        "一个位点最多两个等位基因，这里有%(count)s个；同一条上的多种可能请用“/”连接。"
    ),
    "typing.doubled_operator": gettext_lazy("连接符旁边缺少内容，请检查“^ | + ~ /”前后。"),
    "typing.unknown_allele": gettext_lazy(
        "“%(allele)s”不在现用的命名版本 %(nomenclature)s 中：请核对名称，改写为两个字段的名称，"
        "或请管理员导入包含它的版本（dev hla import-release）。"
    ),
    "search.unknown_set": gettext_lazy("患者的频率集“%(frequency_set)s”不在检索索引里，请管理员重建索引。"),
    "search.set_names": gettext_lazy("频率集须有1至255个，且名称各不相同。"),
    "search.duplicate_donor": gettext_lazy("同一位捐献者在检索索引中出现了两次，请管理员重建索引。"),
    "index.busy": gettext_lazy("另一个任务正在更新检索索引，稍后即可。"),
    "index.missing": gettext_lazy("检索索引还没有建好。请在首页查看任务进度，完成后再检索。"),
}
_DAMAGED = gettext_lazy(
    "检索索引已损坏（%(code)s），为避免给出错误结果已停止检索。系统会在一分钟内自动重建；管理员也可以立即重建：dev manage index --rebuild。"
)

_REASONS: dict[str, Any] = {
    "allele_not_in_set": gettext_lazy("分型中有频率集没有的等位基因，不能推算概率；按等位基因比较后列出。"),
    "no_haplotype_pair": gettext_lazy("频率集中没有能解释这个分型的单倍型组合，不能推算概率；按等位基因比较后列出。"),
    "new_allele": gettext_lazy("分型中有尚未命名的新等位基因（NEW），不能推算概率。"),
    "patient_unexplained": gettext_lazy("患者的分型不能由频率集解释，因此没有概率；按等位基因比较后列出。"),
}


def reason(code: str) -> str:
    """Why there is no probability."""
    return str(_REASONS.get(code, code))


def refusal(error: HlaError, text: str) -> Refusal:
    """The refusal of an engine error: worded, with the place in `text` where there is one."""
    if error.code in _ERRORS:
        try:
            message = str(_ERRORS[error.code]) % error.params
        except KeyError:
            message = str(error)
    elif error.code.startswith("index."):
        message = str(_DAMAGED) % {"code": error.code}
    else:
        message = str(error)
    plain = message
    if error.position is not None and text:
        message = _("第%(place)s个字符处：%(message)s") % {"place": error.position + 1, "message": message}
    status = 503 if error.code.startswith("index.") else 400
    return Refusal(message, code=error.code, status=status, position=error.position, detail=str(error), plain=plain)
