"""Forms of the delivery pages. They translate; services decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus
from wanjia.ui.hooks import area_children, area_name


class UploadForm(forms.Form):
    """What the sender says about a file; the file itself is taken by the encrypting handler."""

    dataset = forms.ChoiceField(label=_("数据集"), required=False, help_text=_("一般不用选：系统按表头识别。"))
    area = forms.ChoiceField(label=_("覆盖范围"), required=False, help_text=_("这份文件包含哪个地区的全部数据。"))

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "zh"
        datasets = [(item.dataset, item.title.text(language)) for item in queries.deliverable(viewer)]
        self._choose("dataset", [("", _("自动识别")), *datasets])
        own = sorted({grant.area.lo for grant in viewer.grants_for(queries.LOAD) if grant.area.lo})
        below = [child for code in own for child in area_children(code)]
        self._choose("area", [*((code, area_name(code)) for code in own), *below])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def chosen(self) -> tuple[str | None, str | None]:
        """Dataset and area, None where nothing was chosen."""
        return self.cleaned_data["dataset"] or None, self.cleaned_data["area"] or None


class BatchFilter(forms.Form):
    status = forms.ChoiceField(label=_("状态"), required=False, choices=[("", _("全部")), *BatchStatus.choices])


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("退回原因"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("部门会看到。请勿填写身份证号等个人信息。"),
    )
