from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from wanjia.kernel import clock
from wanjia.registry.choices import AsOf, ImportMode, SheetKind
from wanjia.registry.fields import EARLIEST_YEAR
from wanjia.registry.forms import listed
from wanjia.registry.queries import reporting_years
from wanjia.registry.services.sheets.importing import Terms
from wanjia.registry.services.sheets.pieces import Wanted
from wanjia.scope.viewer import Viewer
from wanjia.ui.hooks import area_name
from wanjia.ui.sheets import Encoding, Format

WRITE, APPROVE = "registry.write", "registry.approve"


def areas_of(viewer: Viewer) -> list[str]:
    """The areas of which the viewer may bring sheets."""
    own = {grant.area.lo for grant in viewer.grants_for(WRITE) if grant.area.lo}
    return sorted(code for code in own if viewer.may_throughout(WRITE, code))


class BringForm(forms.Form):
    """What the sender says of his sheets; the files themselves are taken by the encrypting handler."""

    mode = forms.ChoiceField(
        label=_("导入方式"),
        choices=ImportMode.choices,
        help_text=_("首次登记：表中的户和人还没有建档，两张表都要。更正：按编号对照已在册的户和人，只改不同的内容。"),
    )
    area = forms.ChoiceField(label=_("地区"), help_text=_("表中不属于这个地区的行会逐行退回。"))
    year = forms.IntegerField(
        label=_("年度"),
        required=False,
        min_value=EARLIEST_YEAR,
        max_value=2100,
        help_text=_("表中有“年度”列的不用填。"),
    )
    household_category = forms.ChoiceField(
        label=_("贫困户属性"), required=False, help_text=_("首次登记而表中没有这一列时，对全表适用。下两项同。")
    )
    poverty_status = forms.ChoiceField(label=_("脱贫标志"), required=False)
    identified_year = forms.IntegerField(label=_("识别年度"), required=False, min_value=EARLIEST_YEAR, max_value=2100)

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("area", [(code, area_name(code)) for code in areas_of(viewer)])
        for name in ("household_category", "poverty_status"):
            self._choose(name, listed(name, _("表中有")))

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def terms(self) -> Terms:
        said = self.cleaned_data
        return Terms(
            year=said["year"],
            household_category=said["household_category"],
            poverty_status=said["poverty_status"],
            identified_year=said["identified_year"],
        )


class TakeForm(forms.Form):
    """Which sheet is wanted, and how."""

    sheet = forms.ChoiceField(label=_("表"), choices=SheetKind.choices)
    year = forms.IntegerField(label=_("年度"), min_value=EARLIEST_YEAR, max_value=2100)
    as_of = forms.ChoiceField(
        label=_("口径"),
        required=False,
        choices=[(AsOf.KNOWN.value, AsOf.KNOWN.label), (AsOf.PUBLISHED.value, AsOf.PUBLISHED.label)],
    )
    codes = forms.ChoiceField(label=_("代码或名称"), required=False, choices=[("", _("名称")), ("1", _("代码"))])
    whole = forms.ChoiceField(
        label=_("证件号码、电话、账号"),
        required=False,
        choices=[("", _("掩码")), ("1", _("完整（须第二人批准）"))],
    )
    format = forms.ChoiceField(
        label=_("文件"),
        required=False,
        choices=[
            (Format.XLSX.value, "Excel (.xlsx)"),
            (Format.CSV.value, "CSV (UTF-8)"),
            (Encoding.GB18030.value, "CSV (GB18030)"),
        ],
    )

    def __init__(self, *args: Any, may_reveal: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].initial = clock.today().year
        closed = "、".join(str(row.year) for row in reversed(reporting_years()) if row.is_sealed)
        self.fields["as_of"].help_text = (
            _("只对已封存的年度有区别：{years}。").format(years=closed) if closed else _("还没有已封存的年度。")
        )
        if not may_reveal:
            del self.fields["whole"]

    def wanted(self, area: str) -> Wanted:
        said = self.cleaned_data
        return Wanted(
            SheetKind(said["sheet"]),
            said["year"],
            area,
            codes=said["codes"] == "1",
            whole=said.get("whole") == "1",
            as_of=AsOf(said["as_of"] or AsOf.KNOWN),
        )
