from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .table import Transition


class StepForm(forms.Form):
    """What a transition asks for, as a form: drawn from the same table that checks it."""

    def __init__(self, transition: Transition, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for wanted in transition.fields:
            self.fields[wanted.name] = self._field(wanted)

    @staticmethod
    def _field(wanted: Any) -> forms.Field:
        common = {"label": wanted.label, "required": wanted.required}
        if wanted.kind == "date":
            return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **common)
        if wanted.kind == "int":
            return forms.IntegerField(**common)
        if wanted.choices:
            return forms.ChoiceField(choices=[("", _("请选择")), *wanted.choices.items()], **common)
        return forms.CharField(max_length=64, **common)
