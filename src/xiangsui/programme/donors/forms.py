from django import forms
from django.utils.translation import gettext_lazy as _

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
