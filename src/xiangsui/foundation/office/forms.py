from django import forms
from django.utils.translation import gettext_lazy as _

from xiangsui.foundation.kit import clock
from xiangsui.foundation.orgs.models import Kind


class RuleFilter(forms.Form):
    name = forms.CharField(label=_("规则"), required=False, max_length=60)


class RuleForm(forms.Form):
    value = forms.CharField(label=_("值"), max_length=500, help_text=_("列表用逗号隔开；是或否填 true 或 false。"))
    valid_from = forms.DateField(label=_("生效日期"), widget=forms.DateInput(attrs={"type": "date"}))
    source = forms.CharField(
        label=_("来源"),
        required=False,
        max_length=300,
        help_text=_("文件名称和文号；没有来源的值在各页面上标明为默认值。"),
    )


class FigureForm(forms.Form):
    occurred_from = forms.DateField(label=_("发生自"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    occurred_until = forms.DateField(label=_("发生至"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    recorded_until = forms.DateField(
        label=_("记录截至"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("只计当天结束前已记录的事件；留空为目前所知的全部。"),
    )

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        first, last = data.get("occurred_from"), data.get("occurred_until") or clock.today()
        if first and first > last:
            self.add_error("occurred_from", _("起始日期不能晚于截止日期。"))
        return data


class OrganisationFilter(forms.Form):
    name = forms.CharField(label=_("名称"), required=False, max_length=60)
    kind = forms.ChoiceField(label=_("类型"), required=False, choices=[("", _("全部")), *Kind.choices])
