"""Which deliveries are current, and whether one is what it seems. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from wanjia.kernel.errors import Sentence
from wanjia.sources.choices import DeliveryMode

# -- which deliveries are current ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """An accepted delivery, as far as it matters which others it replaces. Later ones have higher numbers."""

    number: int
    dataset: str
    area: str
    mode: str
    period: tuple[date | None, date | None] = (None, None)


def supersedes(later: Delivered, earlier: Delivered) -> bool:
    """Whether a delivery takes the place of an earlier one.

    A full delivery replaces everything delivered before for the area it covers. Changes add to
    what is there. A period stands beside other periods, and replaces only what was delivered for
    the same period before.
    """
    if later.dataset != earlier.dataset or not earlier.area.startswith(later.area):
        return False
    if later.mode == DeliveryMode.FULL:
        return True
    return later.mode == earlier.mode == DeliveryMode.PERIOD and later.period == earlier.period


def superseded(deliveries: Sequence[Delivered]) -> dict[int, int]:
    """Number of each delivery that is no longer current → the number of the latest that replaces it."""
    found: dict[int, int] = {}
    replacing: list[Delivered] = []
    for each in sorted(deliveries, key=lambda each: -each.number):
        by = next((later.number for later in replacing if supersedes(later, each)), None)
        if by is not None:
            found[each.number] = by
        elif each.mode != DeliveryMode.DELTA:
            replacing.append(each)
    return found


def overlapping(delivery: Delivered, others: Sequence[Delivered]) -> list[int]:
    """Earlier deliveries for a wider area, which a full delivery for a part of it does not replace."""
    return [
        each.number
        for each in others
        if each.number < delivery.number
        and each.dataset == delivery.dataset
        and delivery.mode == each.mode == DeliveryMode.FULL
        and delivery.area.startswith(each.area)
        and delivery.area != each.area
    ]


# -- guards: a delivery that may not be what it seems is held, and asks -----------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """The parameters of the guards, as they are in force."""

    considered: int  # rows; below, shares say nothing
    rows_at_least: float  # share of the earlier delivery's rows
    rows_at_most: float
    repeated_keys: float  # share of rows whose key another row has
    valid_ids_drop: float  # by how much the share of valid numbers may fall
    valid_ids_least: float
    stale_days: int  # age of what the data speaks of
    recede_days: int  # by how much the newest day may lie before the earlier delivery's


@dataclass(frozen=True, slots=True)
class Seen:
    """A delivery as the guards see it."""

    number: int
    as_of: date | None
    figures: Mapping[str, Any]

    @property
    def rows(self) -> int:
        return int(self.figures.get("rows", 0))

    @property
    def valid_share(self) -> float | None:
        return self.figures["valid_ids"] / self.rows if self.rows and "valid_ids" in self.figures else None


GUARDS: Mapping[str, Sentence] = MappingProxyType(
    {
        "few_rows": Sentence(
            "只有 {rows} 行，上一批（第 {batch} 批）有 {before} 行，可能不完整",
            "only {rows} rows where batch {batch} had {before}: it may not be whole",
        ),
        "many_rows": Sentence(
            "有 {rows} 行，上一批（第 {batch} 批）只有 {before} 行，可能重复导出",
            "{rows} rows where batch {batch} had {before}: it may have been exported twice",
        ),
        "total_differs": Sentence(
            "合计行写明共 {stated} 条，文件中有 {rows} 条，可能缺行或多行",
            "its row of totals states {stated} rows and there are {rows}: some may be missing or too many",
        ),
        "repeated_keys": Sentence(
            "{share}% 的行与其他行主键相同，可能整份重复",
            "{share}% of the rows repeat another's key: it may be doubled",
        ),
        "same_content": Sentence(
            "内容与第 {batch} 批（{before} 接收）完全相同",
            "it says exactly what batch {batch}, received on {before}, said",
        ),
        "older": Sentence(
            "数据截至 {as_of}，早于上一批（第 {batch} 批）的 {before}",
            "it speaks of {as_of}, before the {before} of batch {batch}",
        ),
        "stale": Sentence(
            "数据截至 {as_of}，距今超过 {days} 天，可能是往年的文件",
            "it speaks of {as_of}, more than {days} days ago: it may be an earlier year's",
        ),
        "dates_recede": Sentence(
            "最晚的日期为 {newest}，上一批（第 {batch} 批）为 {before}，可能是往年的数据",
            "its newest day is {newest}, that of batch {batch} was {before}: it may be an earlier year's",
        ),
        "few_valid_ids": Sentence(
            "只有 {share}% 的证件号码有效{before}，证件号码列可能错位或损坏",
            "only {share}% of the identity numbers are valid{before}: the column may be shifted or damaged",
        ),
    }
)
Hold = dict[str, Any]  # guard and its facts


def guarded(new: Seen, before: Seen | None, same: tuple[int, date] | None, today: date, bounds: Bounds) -> list[Hold]:
    """Why a delivery is held; empty when nothing speaks against it.

    `before` is the delivery it would stand in the place of, `same` the number and day of an
    accepted one with the same content.
    """
    holds: list[Hold] = []
    if same is not None:
        holds.append({"guard": "same_content", "batch": same[0], "before": same[1].isoformat()})
    if new.as_of is not None and (today - new.as_of).days > bounds.stale_days:
        holds.append({"guard": "stale", "as_of": new.as_of.isoformat(), "days": bounds.stale_days})
    stated = [int(n) for n in new.figures.get("stated", ())]
    if stated and new.rows not in (*stated, sum(stated)):  # each sheet may have its own
        holds.append({"guard": "total_differs", "stated": max(stated), "rows": new.rows})
    keyed, keys = new.figures.get("keyed", 0), new.figures.get("keys", 0)
    if keyed >= bounds.considered and (keyed - keys) / keyed > bounds.repeated_keys:
        holds.append({"guard": "repeated_keys", "share": round((keyed - keys) / keyed * 100)})
    holds += _valid_ids(new, before, bounds)
    return holds if before is None else holds + _against(new, before, bounds)


def _valid_ids(new: Seen, before: Seen | None, bounds: Bounds) -> list[Hold]:
    share, was = new.valid_share, before.valid_share if before else None
    if share is None or new.rows < bounds.considered:
        return []
    if share >= bounds.valid_ids_least and (was is None or was - share <= bounds.valid_ids_drop):
        return []
    return [{"guard": "few_valid_ids", "share": round(share * 100), "before": "" if was is None else round(was * 100)}]


def _against(new: Seen, before: Seen, bounds: Bounds) -> list[Hold]:
    holds: list[Hold] = []
    if before.rows >= bounds.considered:
        counts = {"rows": new.rows, "before": before.rows, "batch": before.number}
        if new.rows < before.rows * bounds.rows_at_least:
            holds.append({"guard": "few_rows", **counts})
        elif new.rows > before.rows * bounds.rows_at_most:
            holds.append({"guard": "many_rows", **counts})
    if new.as_of and before.as_of and new.as_of < before.as_of:
        told = {"as_of": new.as_of.isoformat(), "before": before.as_of.isoformat(), "batch": before.number}
        holds.append({"guard": "older", **told})
    newest, was = new.figures.get("newest", {}), before.figures.get("newest", {})
    for name in sorted(newest.keys() & was.keys()):
        if (date.fromisoformat(was[name]) - date.fromisoformat(newest[name])).days > bounds.recede_days:
            holds.append({"guard": "dates_recede", "newest": newest[name], "before": was[name], "batch": before.number})
            break
    return holds


def sentence_of(hold: Hold, language: str) -> str:
    """A reason to hold in words."""
    facts = {name: value for name, value in hold.items() if name != "guard"}
    if hold["guard"] == "few_valid_ids" and facts["before"] != "":
        facts["before"] = Sentence("（上一批 {n}%）", " ({n}% before)").text(language, n=facts["before"])
    return GUARDS[hold["guard"]].text(language, **facts)
