"""A department's file of vehicles, written as the department writes it. Nobody in it exists."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import count

from tests.factories.walking import Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.kernel.identity import check_character
from wanjia.scope.areas import AreaRange
from wanjia.scope.viewer import Grant, Relation, Viewer
from wanjia.sources.choices import DeliveryMode
from wanjia.sources.models import Batch, ColumnMapping

TITLE = "都安瑶族自治县机动车登记信息(截至2020年9月30日)"
HEADER = ("序号", "号牌号码", "车辆类型", "使用性质", "品牌型号", "初次登记日期", "机动车状态", "所有人", "身份证明号码", "住所地址")  # fmt: skip
ACTIONS = frozenset({"sources.read", "sources.load", "sources.release"})


def number(serial: int, *, born: str = "19760229") -> str:
    """A sound number of a county that was never assigned."""
    first17 = f"456228{born}{serial:03d}"
    return first17 + check_character(first17)


def row(serial: int, **changes: str) -> list[str]:
    """A vehicle like any other, but for the changes (by column title)."""
    values = dict(
        zip(
            HEADER,
            (
                str(serial),
                f"桂M{serial:05d}",
                "小型轿车",
                "非营运",
                "五菱宏光LZW6441",
                "2015-03-07",
                "正常",
                "韦英",
                number(serial),
                "都安县高岭镇",
            ),
            strict=True,
        )
    )
    return list((values | changes).values())


def delivery(
    rows: Iterable[Sequence[str]] | None = None,
    *,
    title: str | None = TITLE,
    header: Sequence[str] = HEADER,
    footer: bool = True,
    end: str = "\r\n",
) -> str:
    """The text of a file: title, header, rows, total and note."""
    body = [row(serial) for serial in range(1, 4)] if rows is None else list(rows)
    blank = [""] * (len(header) - 1)
    lines = ([[title, *blank]] if title else []) + [list(header), *body]
    if footer:
        lines += [["合计", f"{len(body)}辆", *blank[1:]], ["说明:数据来源于机动车登记系统,仅供比对使用", *blank]]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=end).writerows(lines)
    return buffer.getvalue()


def province_officer(user_id: int = 3) -> Viewer:
    """The province's data officer."""
    return Viewer(user_id, "province", (Grant("province_data_officer", ACTIONS, AreaRange.of("45")),))


def department_officer(department: str = "gongan", *, user_id: int = 7, area: str = "45") -> Viewer:
    """A department's own officer: he reaches what his department delivered."""
    grant = Grant(
        "department_officer", ACTIONS - {"sources.release"}, AreaRange.of(area), Relation.OWN_DEPARTMENT, department
    )
    return Viewer(user_id, f"{department} officer", (grant,))


def examples(place: Place) -> list[Example]:
    """A delivery for the place, by the place's department."""
    serial = next(_serials)
    name = f"vehicles-{serial}-of-{place.area}.csv"
    with unrecorded():
        batch = Batch.objects.create(
            department=place.department,
            dataset="gongan.vehicles",
            contract_version="0",
            area=place.area,
            delivery_mode=DeliveryMode.FULL,
            file_name=name,
            file_hash=f"{serial:064x}",
            file_bytes=1,
            raw=f"raw/gongan.vehicles/delivery={serial}",
            received_by=1,
            received_at=clock.now(),
        )
        column = f"列{serial}-of-{place.area}"
        mapping = ColumnMapping.objects.create(
            department=place.department,
            dataset="gongan.vehicles",
            area=place.area,
            layout=f"{serial:064x}",
            header=[column],
            columns=["plate"],
            valid_from=clock.today(),
            made_by=0,  # the list shows whose word it is, and a name is somebody's secret here
            made_at=clock.now(),
        )
    whom = {"batch_id": batch.pk}
    routes = (
        ("sources:batch", "sources.read", "get", {}),
        ("sources:reject_sheet", "sources.load", "get", {}),
        ("sources:accept", "sources.load", "post", {}),
        ("sources:columns", "sources.load", "get", {}),
        ("sources:let_go_on", "sources.release", "post", {"reason": ""}),
        ("sources:reject", "sources.load", "post", {"reason": ""}),
        ("sources:withdraw", "sources.load", "post", {"reason": ""}),
        ("sources:read_again", "sources.load", "post", {}),
    )
    # who may read may see the list, though he may not end anything in it
    ends = Example("sources:end_mapping", {"mapping_id": mapping.pk}, (), "sources.load", "post", by_department=True)
    return [
        ends,
        *(
            Example(route, whom, (name,), action, method, data, by_department=True)
            for route, action, method, data in routes
        ),
    ]


_serials = count(1)


# A header nobody has seen, and what each of its columns is.
STRANGE = (
    "顺序",
    "机动车号牌(蓝牌)",
    "类别",
    "用途",
    "车辆品牌及型号",
    "首次登记时间",
    "目前状况",
    "车主名字",
    "居民证件号",
    "居住地",
)
STRANGE_FIELDS = ("serial", "plate", "vehicle_kind", "vehicle_use", "model", "registered_on", "vehicle_status", "owner_name", "number", "")  # fmt: skip
