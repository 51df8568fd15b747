"""The population as a list, with what ranks each number."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from wanjia.audit.exports import export
from wanjia.inspection import presenting
from wanjia.inspection.models import Sample
from wanjia.kernel.drawing import lot
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import Cell, Format, Table


def population_list(*, viewer: Viewer, sample: Sample, account: str, language: str, form: Format) -> Iterator[bytes]:
    """The numbers ascending, the digest that ranks each, and which were drawn; recorded before the first byte."""
    table = Table(
        title=_("抽样总体"),
        header=[_("核查件编号"), "SHA-256", _("抽中次序")],
        rows=_rows(sample),
        promised=sample.population_count,
        account=account,
        conditions=[
            *presenting.conditions(sample, language),
            (_("随机种子"), sample.seed),
            (_("总体 SHA-256"), sample.population_digest),
        ],
    )
    return export(
        table,
        form,
        viewer=viewer,
        area=sample.area,
        act="inspection.population",
        subject=("sample", sample.pk),
        content={"population_sha256": sample.population_digest},
    )


def _rows(sample: Sample) -> Iterator[list[Cell]]:
    order = {number: at for at, number in enumerate(sample.numbers, start=1)}
    for number in sample.everybody():
        yield [number, lot(sample.seed, number).hex(), order.get(number)]
