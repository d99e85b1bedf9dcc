from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xiangsui.foundation.kit.errors import Refusal
from xiangsui.foundation.kit.text import compact, half_width
from xiangsui.programme.hla.services import patient_typing_check

LOCI = ("A", "C", "B", "DRB1", "DQB1")


class SearchForm(forms.Form):
    """A patient's typing: pasted as a GL String, or locus by locus."""

    reference = forms.CharField(
        label=gettext_lazy("院内编号"),
        max_length=40,
        help_text=gettext_lazy("医院自编的编号，不要填写姓名、身份证号或电话。"),
    )
    gl = forms.CharField(
        label="GL String",
        required=False,
        strip=True,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("可直接粘贴实验室报告中的一行；填写后不再使用下面的各位点。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for locus in LOCI:
            for side in (1, 2):
                self.fields[f"{locus}_{side}"] = forms.CharField(
                    label=f"{locus} ({side})",
                    required=False,
                    max_length=2_000,
                    widget=forms.TextInput(
                        attrs={"autocomplete": "off", "spellcheck": "false", "aria-label": f"HLA-{locus} {side}"}
                    ),
                )

    def locus_fields(self) -> list[dict[str, Any]]:
        """The five loci with their two bound fields each, for the template."""
        return [{"locus": locus, "first": self[f"{locus}_1"], "second": self[f"{locus}_2"]} for locus in LOCI]

    def clean_reference(self) -> str:
        reference = half_width(self.cleaned_data["reference"]).strip()
        # Identity has no place here (domain.md §2.8); the commonest slip is pasting an ID or telephone number.
        digits = re.sub(r"[\s\-.+()]", "", reference)
        if re.search(r"(?<!\d)(\d{17}[\dXx]|\d{15}|(86)?1[3-9]\d{9})(?!\d)", digits):
            raise forms.ValidationError(_("这里像是身份证号或手机号。请改用医院自编的编号。"))
        return reference

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        gl = compact(data.get("gl") or "")
        origin: dict[int, str] = {}
        if not gl:
            gl, origin = self._assemble(data)
        if not gl:
            raise forms.ValidationError(_("请粘贴GL String，或至少填写一个位点。"))
        try:
            patient_typing_check(gl)
        except Refusal as refusal:
            self._place(refusal, origin)
        data["typing"] = gl
        return data

    def _assemble(self, data: dict[str, Any]) -> tuple[str, dict[int, str]]:
        """One GL String of the fields, and where in it each field begins."""
        text, origin = "", {}
        for locus in LOCI:
            names = [f"{locus}_1", f"{locus}_2"]
            sides = [compact(data.get(name) or "") for name in names]
            if sides[1] and not sides[0]:
                sides.reverse()
                names.reverse()
            if not sides[0]:
                continue
            text += "^" if text else ""
            for number, (name, side) in enumerate(zip(names, sides, strict=True)):
                if number:
                    text += "+"
                origin[len(text)] = name
                text += "/".join(self._named(locus, part) for part in side.split("/")) if side else ""
        return text, origin

    @staticmethod
    def _named(locus: str, text: str) -> str:
        """`02:01` and `A*02:01` are both understood in a field of locus A."""
        return text if "*" in text or not re.match(r"\d", text) else f"{locus}*{text}"

    def _place(self, refusal: Refusal, origin: dict[int, str]) -> None:
        position = refusal.params.get("position")
        if not origin:
            self.add_error("gl", refusal.message)
            return
        before = [start for start in origin if position is not None and start <= position]
        # The place counts in the line made of all fields, which nobody has seen; the field itself says where.
        message = refusal.params.get("plain") or refusal.message
        self.add_error(origin[max(before)] if before else None, message)
