"""Forms of the delivery pages. They translate; services decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from wanjia.intake.contracts import Field
from wanjia.scope.viewer import Viewer
from wanjia.sources import queries
from wanjia.sources.choices import BatchStatus, DeliveryMode, Likeness
from wanjia.sources.contracts import Contract
from wanjia.sources.services import AS_NAMED, Terms
from wanjia.ui.hooks import area_children, area_name

CITY = 4  # digits of a city's code
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _with_counties(code: str, name: str) -> tuple[Any, Any]:
    """A place as a choice, a city with its counties behind it."""
    return (name, [(code, name), *area_children(code)]) if len(code) == CITY else (code, name)


class UploadForm(forms.Form):
    """What the sender says about a file; the file itself is taken by the encrypting handler."""

    dataset = forms.ChoiceField(label=_("数据集"), required=False, help_text=_("一般不用选：系统按表头识别。"))
    area = forms.ChoiceField(
        label=_("覆盖范围"),
        required=False,
        help_text=_(
            "这份文件包含哪个地区的全部数据。一般不用选：按文件名或标题中的地名确定，没有地名时为您的全部范围。"
        ),
    )
    mode = forms.ChoiceField(
        label=_("交付方式"),
        required=False,
        choices=[("", _("按数据合同")), *DeliveryMode.choices],
        help_text=_("全量替换同一地区以前的批次；增量在原有基础上增加；分期与其他期并列。"),
    )
    period_from = forms.DateField(label=_("分期起"), required=False, widget=_DAY, help_text=_("只有分期交付需要填写。"))
    period_to = forms.DateField(label=_("分期止"), required=False, widget=_DAY)
    as_of = forms.DateField(label=_("数据截至"), required=False, widget=_DAY, help_text=_("文件标题写明的以标题为准。"))

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "zh"
        datasets = [(item.dataset, item.title.text(language)) for item in queries.deliverable(viewer)]
        self._choose("dataset", [("", _("自动识别")), *datasets])
        own = sorted({grant.area.lo for grant in viewer.grants_for(queries.LOAD) if grant.area.lo})
        below = [_with_counties(*child) for code in own for child in area_children(code)]
        self._choose("area", [("", _("按文件名或标题")), *((code, area_name(code)) for code in own), *below])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def chosen(self) -> tuple[str | None, str]:
        """Dataset, None where none was chosen, and area."""
        return self.cleaned_data["dataset"] or None, self.cleaned_data["area"] or AS_NAMED

    @property
    def terms(self) -> Terms:
        """How it is delivered."""
        said = self.cleaned_data
        mode = DeliveryMode(said["mode"]) if said["mode"] else None
        return Terms(mode, (said["period_from"], said["period_to"]), said["as_of"])


class BatchFilter(forms.Form):
    status = forms.ChoiceField(label=_("状态"), required=False, choices=[("", _("全部")), *BatchStatus.choices])
    current = forms.BooleanField(label=_("只看现行"), required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("退回原因"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("部门会看到。请勿填写身份证号等个人信息。"),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("撤回理由"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明错在哪里、是谁发现的；会留下记录，部门会看到。请勿填写身份证号等个人信息。"),
    )


class ReleaseForm(forms.Form):
    reason = forms.CharField(
        label=_("放行理由"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明向谁核实、结果如何；会留下记录。请勿填写身份证号等个人信息。"),
    )


class ColumnsForm(forms.Form):
    """For each column of a file the field it is; beside it its first values and why it is proposed."""

    def __init__(self, *args: Any, contract: Contract, columns: Sequence[Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = get_language() or "zh"
        choices = [("", _("不保存这一列")), *((item.name, _labelled(item, language)) for item in contract.fields)]
        self._columns = columns
        for n, column in enumerate(columns):
            self.fields[f"column-{n}"] = forms.ChoiceField(
                label=column["header"] or "—", required=False, choices=choices, initial=column["field"]
            )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The columns with their field, for the page."""
        return [
            {
                "field": self[f"column-{n}"],
                "header": column["header"],
                "samples": column["samples"],
                "why": str(Likeness(column["likeness"]).label) if column.get("likeness") else "",
                "sure": column.get("likeness", "header") in ("header", "synonym", "saved"),
            }
            for n, column in enumerate(self._columns)
        ]

    @property
    def chosen(self) -> list[str]:
        """The field of each column, in order."""
        return [self.cleaned_data[f"column-{n}"] for n in range(len(self._columns))]


def _labelled(item: Field, language: str) -> str:
    title = item.title.text(language)
    if item.required:
        return _("%(title)s（必需）") % {"title": title}
    if not item.keep:
        return _("%(title)s（识别，不保存）") % {"title": title}
    return title
