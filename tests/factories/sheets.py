"""A county's two national sheets as counties write them, with planted defects of every kind. Nobody in them exists.

`python -m bench.sheets` makes large ones of the same generator.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.factories.registry import SURNAMES, VILLAGES, number
from tests.factories.walking import Example, Place
from wanjia.audit.testing import unrecorded
from wanjia.kernel import clock
from wanjia.registry.choices import ImportMode, ImportStatus, SheetKind
from wanjia.registry.models import SheetFile, SheetImport
from wanjia.registry.services.sheets.columns import sheet

YEAR = "2020"
PLACES: Mapping[str, tuple[str, ...]] = {
    "451228100001": ("广西壮族自治区", "河池市", "都安瑶族自治县", "安阳镇"),
    "451228100002": ("广西", "河池", "都安县", "安阳"),
    "451228101001": ("广西壮族自治区", "河池市", "都安", "高岭镇"),
    "451228101201": ("", "", "都安县", "高岭"),
}
EXTRA = ("贫困户属性", "脱贫标志", "识别年度")
HOME_HEADER = (*(title for title, _ in sheet(SheetKind.HOUSEHOLDS).header[:53]), *EXTRA)
MEMBER_HEADER = tuple(title for title, _ in sheet(SheetKind.MEMBERS).header[:47])
RELATIONS = ("户主", "配偶", "之子", "之女")
GIVEN = "英兰山秀明勇玉芳国华"


@dataclass
class County:
    """The rows of both sheets by column title, and what was planted: member number → what the reject sheet says."""

    homes: list[dict[str, str]] = field(default_factory=list)
    members: list[dict[str, str]] = field(default_factory=list)
    planted: dict[str, str] = field(default_factory=dict)
    sound: dict[str, dict[str, str]] = field(default_factory=dict)  # the planted rows as they were before

    def put_right(self) -> None:
        """Every planted defect undone."""
        self.members = [self.sound.get(row["人口编号"], row) for row in self.members]


def home(serial: int, village: str, name: str) -> dict[str, str]:
    """A household as the sheet holds it."""
    places = dict(zip(("省", "市", "县", "乡", "村"), (*PLACES[village], name), strict=True))
    return {
        **places, "户编号": f"4512280{serial:09d}", "户主姓名": person_name(serial, 0), "家庭人口数": "4", "年度": YEAR,
        "是否危房户": "否", "是否解决安全饮用水": "是", "开户银行名称": "农村信用社", "银行卡号": f"62170000{serial:011d}",
        "识别标准": "国家标准", "主要致贫原因": ("缺技术", "因病", "因残", "03")[serial % 4],
        "工资性收入": ("12,000.00", "12000元", "1.2万元", "９000")[serial % 4], "生产经营性收入": "3200.50",
        "低保金": "—", "转移性收入": "1200", "生产经营性支出": "800", "耕地面积（亩）": "2.35", "住房面积": "86.5",
        "与村主干路距离": "0.8公里", "入户路类型": "水泥路", "主要燃料类型": "柴草", "危房级别": "A",
        "贫困户属性": "一般贫困户", "脱贫标志": ("未脱贫", "0")[serial % 2], "识别年度": "2015年",
    }  # fmt: skip


def person_name(serial: int, place: int) -> str:
    return f"{SURNAMES[serial % 8]}{GIVEN[serial // 8 % 10]}{GIVEN[(serial + place * 3) % 10]}"


def member(serial: int, place: int, village: str, name: str) -> dict[str, str]:
    """A member as the sheet holds him."""
    male = place in (0, 2)
    born = date(1960 + serial % 40, 1 + serial // 40 % 12, 1 + serial // 480 % 28)
    written = (born.isoformat(), f"{born:%Y/%m/%d}", f"{born:%Y%m%d}", f"{born.year}年{born.month}月{born.day}日")
    row = home(serial, village, name)
    return {
        **{title: row[title] for title in ("省", "市", "县", "乡", "村", "户编号", "年度")},
        "人口编号": f"45122800{serial:09d}{place}", "姓名": person_name(serial, place), "性别": "男" if male else "女",
        "出生日期": written[serial % 4], "证件类型": "居民身份证", "证件号码": number(born, serial % 450, male=male),
        "民族": ("壮族", "瑶", "汉族", "僮")[serial % 4], "户联系电话": "138 0013 8000",
        "成员联系电话": f"139{serial % 10**8:08d}",
        "与户主关系": RELATIONS[place], "文化程度": "初中", "劳动技能": "普通劳动力", "务工时间（月）": "6个月",
        "健康状况": ("健康", "长期慢性病、残疾", "02，04")[serial % 3], "政治面貌": "群众", "是否享受低保": "否",
        "是否参加新型农村合作医疗（城乡居民基本医疗保险）": "是", "是否参加大病保险": "√", "户主姓名": person_name(serial, 0),
    }  # fmt: skip


# title of the column, what is written there, and what the reject sheet says of it
DEFECTS: Sequence[tuple[str, str, str]] = (
    ("证件号码", "4.59999E+17", "末几位丢失"),
    ("证件号码", "459999********0012", "掩码"),
    ("出生日期", "3/5/2018", "歧义"),
    ("出生日期", "2019-02-30", "没有这一天"),
    ("出生日期", "二月", "不是日期"),
    ("性别", "难说", "不在代码表中"),
    ("民族", "火星", "不在代码表中"),
    ("与户主关系", "邻居", "不在代码表中"),
    ("健康状况", "健康、残疾", "不能同时成立"),
    ("务工时间（月）", "13.5", "小数位数"),
    ("务工时间（月）", "十个月吧", "不是整数"),
    ("是否享受低保", "也许", "只能是"),
    ("姓名", "", "缺少姓名"),
    ("户编号", "", "所属户不在"),
    ("户编号", "4512289999999999", "所属户不在"),
    ("与户主关系", "户主", "户主多于一人"),
    ("年度", "2018", "年度与本次导入的年度不同"),
    ("务工企业名称", "电话13900139000", "11 位以上"),
    ("姓名", "韦" * 61, "超长"),
)


def county(households: int, *, every: int = 0) -> County:
    """So many households of four; with `every`, a defect in the last member of each so-manieth."""
    made = County()
    names = _villages()
    planted = 0
    for serial in range(households):
        village = VILLAGES[serial % len(VILLAGES)]
        made.homes.append(home(serial, village, names[village]))
        for place in range(4):
            row = member(serial, place, village, names[village])
            if every and place == 3 and serial % every == 0:
                title, text, said = DEFECTS[planted % len(DEFECTS)]
                planted += 1
                if said != "户主多于一人":  # that one refuses the household, not its member
                    made.sound[row["人口编号"]] = dict(row)
                    row[title] = text
                    made.planted[row["人口编号"]] = said
            made.members.append(row)
    return made


def _villages() -> dict[str, str]:
    from wanjia.divisions.queries import gazetteer

    return {code: gazetteer().places[code].official_name for code in VILLAGES}


def text(rows: Iterable[Mapping[str, str]], header: Sequence[str], *, title: str = "", totals: bool = True) -> str:
    """The rows as a CSV, with a title above and a row of totals below."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if title:
        writer.writerow([title])
    writer.writerow(header)
    count = 0
    for row in rows:
        count += 1
        writer.writerow([row.get(name, "") for name in header])
    if totals:
        writer.writerow(["合计", *[""] * (len(header) - 2), str(count)])
    return out.getvalue()


def upload(content: str | bytes, name: str = "sheet.csv", encoding: str = "gb18030"):  # type: ignore[no-untyped-def]
    """A file as a form hands it over."""
    from wanjia.files.uploads import sealed_from

    data = content.encode(encoding) if isinstance(content, str) else content
    return sealed_from(data, name, "registry_sheet")


def examples(place: Place) -> list[Example]:
    """An import of each place, brought by somebody; its page, its acts and its refused rows."""
    if not place.area.startswith("45"):
        return []
    row = SheetImport(
        area=place.area, year=2020, mode=ImportMode.CORRECTION, status=ImportStatus.RECEIVED, brought_by=NOBODY,
        brought_at=clock.now(),
    )  # fmt: skip
    with unrecorded():
        row.save()
        name = f"户表{row.pk}号.csv"
        SheetFile.objects.create(
            of=row, area=row.area, mode=row.mode, sheet=SheetKind.HOUSEHOLDS, file_name=name, file_hash=f"walk {row.pk}",
            file_bytes=1, raw=f"sheets/file=walk{row.pk}", brought_by=row.brought_by, brought_at=row.brought_at,
        )  # fmt: skip
    which = {"import_id": row.pk}
    posted = ("registry:add_sheet", "registry:read_sheets", "registry:apply_sheets", "registry:cancel_import")
    return [
        Example("registry:import", which, (name,)),
        Example("registry:rejected_rows", which, (name,)),
        *(Example(route, which, (name,), method="post") for route in posted),
    ]


NOBODY = 10**8  # no account has so high a number
