from django import forms
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.orgs.models import Kind, Organisation

from .codes import Abo, Sex, Status


class DonorFilter(forms.Form):
    grid = forms.CharField(label="GRID", required=False, max_length=30)
    status = forms.ChoiceField(label=_("状态"), required=False, choices=[("", _("全部")), *Status.choices])
    sex = forms.ChoiceField(label=_("性别"), required=False, choices=[("", _("全部")), *Sex.choices])
    abo = forms.ChoiceField(label=_("ABO血型"), required=False, choices=[("", _("全部")), *Abo.choices])


class TypingForm(forms.Form):
    gl = forms.CharField(
        label="GL String",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("例如 A*02:01+A*11:01^B*40:01+B*46:01^DRB1*09:01+DRB1*15:01"),
    )


class DonorForm(forms.Form):
    sex = forms.ChoiceField(label=_("性别"), choices=[("", _("请选择")), *Sex.choices])
    birth_year = forms.IntegerField(label=_("出生年"), min_value=1900, max_value=2100)
    abo = forms.ChoiceField(label=_("ABO血型"), required=False, choices=[("", _("未知")), *Abo.choices])
    rhesus = forms.ChoiceField(
        label=_("Rh血型"), required=False, choices=[("", _("未知")), ("+", _("阳性")), ("-", _("阴性"))]
    )
    grid = forms.CharField(label="GRID", required=False, max_length=30, help_text=_("留空则由系统编号。"), strip=True)
    typing = forms.CharField(
        label=_("HLA分型（GL String）"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("可以以后补录；有分型后才能被检索到。"),
    )
    # The consent is recorded with the donor: somebody must have said that it was signed.
    consent = forms.BooleanField(
        label=_("本人已签署加入资料库的知情同意书"), error_messages={"required": _("没有签署知情同意书，不能登记。")}
    )


class FindForm(forms.Form):
    q = forms.CharField(
        label=_("查找"),
        max_length=60,
        help_text=_("姓名、全拼、首字母、电话、电话后四位、证件号、GRID 或中华骨髓库编号，须完整输入。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class RevealForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("查看理由"),
        choices=[
            ("", _("请选择")),
            ("contact", _("联系本人")),
            ("identity_check", _("核对身份")),
            ("correction", _("更正资料")),
            ("case", _("个案工作")),
            ("request_of_person", _("本人要求")),
        ],
        help_text=_("每次查看都会记录：谁、何时、什么理由。"),
    )


class TransferForm(forms.Form):
    target = forms.ModelChoiceField(
        label=_("转入组织"),
        queryset=Organisation.objects.filter(kind__in=[Kind.CITY, Kind.COUNTY], closed_on=None).order_by("path"),
        empty_label=_("请选择"),
    )


class NationalForm(forms.Form):
    cmdp_number = forms.CharField(label=_("中华骨髓库编号"), max_length=12, help_text=_("12位数字"))
    on = forms.DateField(label=_("录入日期"), widget=forms.DateInput(attrs={"type": "date"}))
