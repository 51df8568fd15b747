"""What eight departments hold about an invented region: matched records, and the strangers in the hukou register.

Each dataset's columns are those its rules may read. Everything rules distinguish occurs, each
near miss beside its hit; how often is invented.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from wanjia.lake import Columns, Lake, Type, parquet

DAY = dt.date(2020, 11, 16)
PIECE = 1_000_000
STRANGERS_PER_PERSON = 8  # 57 million people have their hukou in Guangxi, 6.34 million are registered

Weighted = Sequence[tuple[str | None, float]]
Made = dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class People:
    """What the files must fit: each registered person's household book, and what is registered of him."""

    household: np.ndarray  # from 0
    on_dibao: np.ndarray
    on_tekun: np.ndarray
    disabled: np.ndarray

    def __len__(self) -> int:
        return len(self.household)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a file to be made: whose they are (places among the people), and the first one's number."""

    random: np.random.Generator
    people: People
    own: np.ndarray
    start: int

    def __len__(self) -> int:
        return len(self.own)

    @property
    def numbers(self) -> np.ndarray:
        return np.arange(self.start, self.start + len(self))

    def drawn(self, *weighted: tuple[str | None, float]) -> pa.Array:
        return drawn(self.random, len(self), weighted)

    def days(self, first: dt.date, last: dt.date, missing: float = 0.0) -> pa.Array:
        return days(self.random, len(self), first, last, missing)

    def chance(self, share: float) -> np.ndarray:
        return chance(self.random, len(self), share)


def chance(random: np.random.Generator, n: int, share: float) -> np.ndarray:
    """True for a share of `n`."""
    return random.random(n) < share


def drawn(random: np.random.Generator, n: int, weighted: Weighted) -> pa.Array:
    """`n` texts, each as often as its weight says; None is a missing value."""
    texts, weights = zip(*weighted, strict=True)
    shares = np.array(weights, float) / sum(weights)
    return pa.DictionaryArray.from_arrays(random.choice(len(texts), n, p=shares), pa.array(texts, pa.string())).cast(
        pa.string()
    )


def days(random: np.random.Generator, n: int, first: dt.date, last: dt.date, missing: float = 0.0) -> pa.Array:
    """`n` days from `first` to `last`, a share of them missing."""
    epoch = dt.date(1970, 1, 1)
    found = random.integers((first - epoch).days, (last - epoch).days + 1, n).astype("datetime64[D]")
    return pa.array(found, pa.date32(), mask=random.random(n) < missing)


def numbered(prefix: str, numbers: np.ndarray) -> pa.Array:
    """Texts such as H12."""
    return pa.array(np.char.add(prefix, numbers.astype(str)))


# -- the datasets ----------------------------------------------------------------------------------


def _vehicles(lines: Lines) -> Made:
    return {
        "plate": numbered("桂M", lines.numbers),
        "vehicle_kind": lines.drawn(*KINDS),
        "vehicle_use": lines.drawn(("非营运", 97), ("货运", 3)),
        "model": lines.drawn(("五菱宏光LZW6441", 1), ("宗申ZS125", 2), ("豪爵HJ150", 2)),
        "registered_on": lines.days(dt.date(2006, 1, 1), DAY),
        "vehicle_status": lines.drawn(("正常", 88), ("报废", 6), ("注销", 4), ("转出", 2)),
    }


def _population(lines: Lines) -> Made:
    apart = lines.chance(0.02)
    books = np.where(apart, numbered("X", lines.own), numbered("H", lines.people.household[lines.own]))
    return {"hukou_no": pa.array(books), **_entry(lines)}


def _strangers(lines: Lines) -> Made:
    """People nobody registered; a few of them in a registered household's book."""
    inside = lines.chance(0.003)
    homes = lines.random.integers(0, lines.people.household.max() + 1, len(lines))
    books = np.where(inside, numbered("H", homes), numbered("S", lines.numbers // 3))
    return {"hukou_no": pa.array(books), **_entry(lines)}


def _entry(lines: Lines) -> Made:
    return {
        "hukou_kind": lines.drawn(("家庭户", 94), ("集体户", 4), (None, 2)),
        "person_name": lines.drawn(("韦小明", 1), ("黄小芳", 1), ("覃阿三", 1)),
        "former_name": lines.drawn((None, 99), ("韦阿明", 1)),
        "sex": lines.drawn(("1", 51), ("2", 49)),
        "birth_date": lines.days(dt.date(1935, 1, 1), DAY, 0.01),
        "hukou_relation": lines.drawn(*RELATIONS),
        "hukou_area": lines.drawn(("451228101201", 9), ("451228101202", 1), (None, 1)),
        "hukou_status": lines.drawn(*HUKOU_STATUSES),
        "changed_on": lines.days(dt.date(2010, 1, 1), DAY, 0.5),
        "moved_to": lines.drawn((None, 9), ("广东省东莞市", 1)),
        "moved_in_on": lines.days(dt.date(2000, 1, 1), DAY, 0.5),
    }


def _deaths(lines: Lines) -> Made:
    return {
        "died_on": lines.days(dt.date(2014, 1, 1), DAY + dt.timedelta(days=30)),
        "death_source": lines.drawn(("死亡医学证明", 6), ("火化证明", 3), ("村（居）委会证明", 1)),
        "death_registered_on": lines.days(dt.date(2014, 1, 1), DAY, 0.1),
        "death_status": lines.drawn(("有效", 90), ("撤销", 5), (None, 5)),
    }


def _payroll(lines: Lines) -> Made:
    return {
        "unit_name": lines.drawn(("某县第二小学", 5), ("某镇人民政府", 3), ("某县水利局", 2)),
        "post_kind": lines.drawn(*POSTS),
        "post_title": lines.drawn(("教师", 1), (None, 2)),
        "started_on": lines.days(dt.date(1995, 1, 1), DAY, 0.05),
        "pay_status": lines.drawn(("正常发放", 85), ("停发", 5), ("调出", 5), ("死亡停发", 3), (None, 2)),
        "stopped_on": lines.days(dt.date(2015, 1, 1), dt.date(2022, 1, 1), 0.9),
    }


def _enterprises(lines: Lines) -> Made:
    return {
        "entity_name": numbered("某县兴旺", lines.numbers),
        "entity_kind": lines.drawn(*ENTITIES),
        "role": lines.drawn(*ROLES),
        "entity_status": lines.drawn(("存续", 80), ("注销", 10), ("停业", 5), ("吊销未注销", 5)),
        "established_on": lines.days(dt.date(2005, 1, 1), DAY),
        "ended_on": lines.days(dt.date(2014, 1, 1), dt.date(2022, 1, 1), 0.9),
        "took_up_on": lines.days(dt.date(2005, 1, 1), DAY, 0.3),
        "left_on": lines.days(dt.date(2014, 1, 1), dt.date(2022, 1, 1), 0.95),
        "capital": pa.array(lines.random.integers(1, 100, len(lines)) * 1_000_000, pa.int64()),
        "paid_capital": pa.array(lines.random.integers(0, 100, len(lines)) * 1_000_000, pa.int64()),
        "share": lines.drawn(("60%", 1), (None, 1)),
    }


def _real_estate(lines: Lines) -> Made:
    return {
        "location": numbered("某县城东路", lines.numbers),
        "estate_use": lines.drawn(*USES),
        "right_kind": drawn(
            lines.random, len(lines), (("国有建设用地使用权/房屋所有权", 8), ("宅基地使用权/房屋所有权", 1), (None, 1))
        ),
        "acquired_how": lines.drawn(("购买", 7), ("安置", 1), ("继承", 1), (None, 1)),
        "share_kind": lines.drawn(("单独所有", 7), ("共同共有", 3)),
        "floor_area": lines.drawn(("98.5", 1), ("120.3", 1)),
        "registered_on": lines.days(dt.date(2005, 1, 1), DAY),
        "estate_status": lines.drawn(("现势", 80), ("历史", 10), ("抵押", 5), ("预告登记", 3), ("注销", 2)),
        "registrar": lines.drawn(("某县不动产登记中心", 1)),
    }


def _dibao(lines: Lines) -> Made:
    tekun = lines.people.on_tekun[lines.own] ^ lines.chance(0.02)
    category = np.where(
        tekun,
        lines.drawn(("农村特困分散供养", 3), ("农村特困集中供养", 1)),
        lines.drawn(("农村低保", 9), ("城市低保", 1)),
    )
    return {
        "relief_category": pa.array(category),
        "persons": pa.array(lines.random.integers(1, 6, len(lines)), pa.int32()),
        "started_on": lines.days(dt.date(2012, 1, 1), DAY + dt.timedelta(days=30), 0.05),
        "stopped_on": lines.days(dt.date(2015, 1, 1), dt.date(2022, 1, 1), 0.95),
        "relief_status": lines.drawn(("在享", 94), ("停发", 3), ("暂停", 2), ("取消", 1)),
    }


def _certificates(lines: Lines) -> Made:
    return {
        "disability_type": lines.drawn(("肢体", 6), ("视力", 2), ("精神", 1), ("听力", 1)),
        "disability_grade": lines.drawn(("一级", 1), ("二级", 2), ("三级", 4), ("四级", 3)),
        "issued_on": lines.days(dt.date(2009, 1, 1), DAY, 0.01),
        "expires_on": lines.days(dt.date(2018, 1, 1), dt.date(2030, 1, 1), 0.3),
        "certificate_status": lines.drawn(("有效", 92), ("注销", 3), ("过期", 3), ("换领作废", 2)),
    }


KINDS = (("普通二轮摩托车", 86), ("小型轿车", 6), ("微型普通客车", 4), ("轻型普通货车", 2), ("残疾人专用机动轮椅车", 2))
RELATIONS = (
    ("本人或户主", 30), ("配偶", 22), ("之子", 18), ("之女", 16), ("之父", 4), ("之母", 4),
    ("寄住", 2), ("其他", 2), (None, 2),
)  # fmt: skip
HUKOU_STATUSES = (
    ("正常", 960), ("迁往县外", 12), ("县内迁移", 8), ("死亡注销", 8), ("入伍注销", 3), ("出国境定居注销", 2),
    ("其他注销", 3), ("重复户口注销", 2), (None, 2),
)  # fmt: skip
POSTS = (
    ("事业单位人员", 30), ("公务员", 10), ("退休人员", 20), ("公益性岗位", 15), ("临时人员", 8), ("编外聘用人员", 7),
    ("村（社区）干部", 7), ("遗属补助人员", 1), ("代课教师", 1), (None, 1),
)  # fmt: skip
ENTITIES = (
    ("有限责任公司", 30), ("农民专业合作社", 30), ("个体工商户", 30), ("个人独资企业", 5),
    ("合伙企业", 3), ("家庭农场", 2),
)  # fmt: skip
ROLES = (
    ("法定代表人", 20), ("股东", 20), ("合作社成员", 25), ("经营者", 20), ("董事", 5),
    ("监事", 4), ("合伙人", 3), ("投资人", 3),
)  # fmt: skip
USES = (
    ("成套住宅", 40), ("住宅", 20), ("农村宅基地", 15), ("易地扶贫搬迁安置住房", 15), ("商业服务", 5),
    ("保障性住房", 3), (None, 2),
)  # fmt: skip


# -- who is in which file --------------------------------------------------------------------------


def _some(share: float) -> Callable[[np.random.Generator, People], np.ndarray]:
    """A share of the people, somebody with several records now and then."""
    return lambda random, people: random.integers(0, len(people), int(len(people) * share))


def _nearly_all(random: np.random.Generator, people: People) -> np.ndarray:
    there = np.flatnonzero(chance(random, len(people), 0.985))
    return np.concatenate([there, random.integers(0, len(people), len(people) // 100)])


def _supported(random: np.random.Generator, people: People) -> np.ndarray:
    return np.flatnonzero((people.on_dibao | people.on_tekun) ^ chance(random, len(people), 0.01))


def _disabled(random: np.random.Generator, people: People) -> np.ndarray:
    return np.flatnonzero(people.disabled ^ chance(random, len(people), 0.01))


_TEXT, _DATE, _BIG = Type.TEXT, Type.DATE, Type.BIGINT
_ENTRY: Columns = {
    "hukou_no": _TEXT, "hukou_kind": _TEXT, "person_name": _TEXT, "former_name": _TEXT, "sex": _TEXT,
    "birth_date": _DATE, "hukou_relation": _TEXT, "hukou_area": _TEXT, "hukou_status": _TEXT, "changed_on": _DATE,
    "moved_to": _TEXT, "moved_in_on": _DATE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Department:
    """A dataset: who is in it, what is said of them, and in which columns."""

    whose: Callable[[np.random.Generator, People], np.ndarray]
    made: Callable[[Lines], Made]
    columns: Columns


DEPARTMENTS: Mapping[str, Department] = {
    "gongan.population": Department(_nearly_all, _population, _ENTRY),
    "gongan.deaths": Department(
        _some(0.01),
        _deaths,
        {"died_on": _DATE, "death_source": _TEXT, "death_registered_on": _DATE, "death_status": _TEXT},
    ),
    "caizheng.payroll": Department(
        _some(0.01),
        _payroll,
        {
            "unit_name": _TEXT,
            "post_kind": _TEXT,
            "post_title": _TEXT,
            "started_on": _DATE,
            "pay_status": _TEXT,
            "stopped_on": _DATE,
        },
    ),
    "shichang.enterprises": Department(
        _some(0.03),
        _enterprises,
        {
            "entity_name": _TEXT,
            "entity_kind": _TEXT,
            "role": _TEXT,
            "entity_status": _TEXT,
            "established_on": _DATE,
            "ended_on": _DATE,
            "took_up_on": _DATE,
            "left_on": _DATE,
            "capital": _BIG,
            "paid_capital": _BIG,
            "share": _TEXT,
        },
    ),
    "ziran.real_estate": Department(
        _some(0.05),
        _real_estate,
        {
            "location": _TEXT,
            "estate_use": _TEXT,
            "right_kind": _TEXT,
            "acquired_how": _TEXT,
            "share_kind": _TEXT,
            "floor_area": _TEXT,
            "registered_on": _DATE,
            "estate_status": _TEXT,
            "registrar": _TEXT,
        },
    ),
    "minzheng.dibao": Department(
        _supported,
        _dibao,
        {
            "relief_category": _TEXT,
            "persons": Type.INTEGER,
            "started_on": _DATE,
            "stopped_on": _DATE,
            "relief_status": _TEXT,
        },
    ),
    "canlian.certificates": Department(
        _disabled,
        _certificates,
        {
            "disability_type": _TEXT,
            "disability_grade": _TEXT,
            "issued_on": _DATE,
            "expires_on": _DATE,
            "certificate_status": _TEXT,
        },
    ),
    "gongan.vehicles": Department(
        _some(3.4),
        _vehicles,
        {
            "plate": _TEXT,
            "vehicle_kind": _TEXT,
            "vehicle_use": _TEXT,
            "model": _TEXT,
            "registered_on": _DATE,
            "vehicle_status": _TEXT,
        },
    ),
}
STRANGERS = "gongan.population"  # whose unmatched records are asked for


def address_of(dataset: str, snapshot: str) -> str:
    """Where the one batch of a dataset lies, matched with the snapshot."""
    return f"resolved/{dataset}/batch={1 + sorted(DEPARTMENTS).index(dataset)},snapshot={snapshot}"


def write_departments(store: Lake, seed: int, people: People, snapshot: str) -> dict[str, int]:
    """One matched batch of every dataset, and the strangers of the hukou register; how many records each has."""
    counts = {}
    for number, (dataset, department) in enumerate(sorted(DEPARTMENTS.items())):
        random = np.random.default_rng((seed, 3, number))
        owners = np.sort(department.whose(random, people))
        with store.publishing(address_of(dataset, snapshot)) as staging:
            columns = {**MATCHED, **department.columns}
            rows = _pieces(random, people, owners, department.made, columns)
            parquet.write(staging.path("matched.parquet"), rows, columns, row_group=parquet.SORTED_ROW_GROUP)
            if dataset == STRANGERS:
                nobodys = np.zeros(STRANGERS_PER_PERSON * len(people), np.int64)
                columns = {"source_row": Type.INTEGER, **department.columns}
                rows = _pieces(random, people, nobodys, _strangers, columns)
                parquet.write(staging.path("unmatched.parquet"), rows, columns)
        counts[dataset] = len(owners)
    return counts


MATCHED: Columns = {"person_no": Type.INTEGER, "source_row": Type.INTEGER, "name_agrees": Type.BOOLEAN}


def _pieces(
    random: np.random.Generator,
    people: People,
    owners: np.ndarray,
    made: Callable[[Lines], Made],
    columns: Columns,
) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(owners), PIECE):
        lines = Lines(random, people, owners[start : start + PIECE], start)
        facts = {
            "person_no": pa.array(lines.own + 1, pa.int32()),
            "source_row": pa.array(lines.numbers + 3, pa.int32()),
            "name_agrees": pa.array(~lines.chance(0.02)),
            **made(lines),
        }
        yield from pa.table({name: facts[name] for name in columns}).to_batches()
