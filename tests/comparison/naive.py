"""The rules once more, row by row in plain Python: what a county's data officer would do by hand, slowly.

Written from domain.md §6.4, not from the rule files: nothing here reads a rule, a parameter or SQL,
so that the engine, the files and the parameters in them are held against somebody else's reading.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Row = dict[str, Any]
Found = tuple[str, int, str, int, str]  # rule, person, dataset, source row, evidence

LIVE = {"0", "1", "2", "3", "4"}
LIVING_ALLOWANCE = {"农村低保", "城市低保"}
EXTREME_POVERTY = {"农村特困分散供养", "农村特困集中供养", "城市特困供养"}


class ByHand:
    """The files of one comparison, read into memory, and every rule over them on `day`."""

    def __init__(self, registry: Path, departments: dict[str, Path], strangers: Path, day: date) -> None:
        self.day = day
        self.people = {row["person_no"]: row for row in rows(registry / "persons.parquet")}
        self.homes = {row["household_no"]: row for row in rows(registry / "households.parquet")}
        self.records = {name: rows(path) for name, path in departments.items()}
        self.strangers = rows(strangers)

    def findings(self) -> Counter[Found]:
        every = (
            self.payroll(), self.real_estate(), self.enterprises(), self.vehicles(), self.numbers(), self.twice(),
            self.names(), self.unknown(), self.dead(), self.moved(), self.left_out(), self.elsewhere(),
            self.relief("RC-01", "on_dibao", LIVING_ALLOWANCE), self.relief("RC-02", "on_tekun", EXTREME_POVERTY),
            self.disability(),
        )  # fmt: skip
        return Counter(found for part in every for found in part)

    def live(self, person: Row) -> bool:
        return bool(person["in_household"]) and self.homes[person["household_no"]]["poverty_status"] in LIVE

    def own(self, dataset: str, *, name: bool = True) -> Iterator[tuple[Row, Row, int]]:
        """Records of live members under their own name, with the year their household was identified."""
        for record in self.records[dataset]:
            person = self.people[record["person_no"]]
            if self.live(person) and (record["name_agrees"] or not name):
                yield record, person, self.homes[person["household_no"]]["identified_year"]

    def over(self, end: date | None) -> bool:
        """Whether an end lies today or earlier."""
        return end is not None and end <= self.day

    def found(self, rule: str, dataset: str, record: Row, **evidence: Any) -> Found:
        return rule, record["person_no"], dataset, record["source_row"], said(evidence)

    # -- property and posts --------------------------------------------------------------------

    def payroll(self) -> Iterator[Found]:
        outside = {"公益性岗位", "临时人员", "编外聘用人员", "村（社区）干部", "三支一扶人员", "遗属补助人员"}
        for row, _, identified in self.own("caizheng.payroll"):
            if row["post_kind"] is None or row["post_kind"] in outside or row["pay_status"] != "正常发放":
                continue
            if self.over(row["stopped_on"]) or (row["started_on"] and row["started_on"].year > identified):
                continue
            shown = pick(row, "unit_name", "post_kind", "post_title", "started_on", "pay_status")
            yield self.found("RA-01", "caizheng.payroll", row, **shown, identified_year=identified)

    def real_estate(self) -> Iterator[Found]:
        for row, _, identified in self.own("ziran.real_estate"):
            use = row["estate_use"]
            if use is None or use in {"农村宅基地", "农业设施用房", "易地扶贫搬迁安置住房", "保障性住房"}:
                continue
            if row["right_kind"] in {"宅基地使用权", "宅基地使用权/房屋所有权"} or row["acquired_how"] == "安置":
                continue
            if row["estate_status"] not in {"现势", "查封", "抵押"} or row["registered_on"].year > identified:
                continue
            shown = pick(row, "location", "estate_use", "right_kind", "acquired_how", "share_kind", "floor_area")
            shown |= {"estate_registered_on": row["registered_on"], **pick(row, "estate_status", "registrar")}
            yield self.found("RA-04", "ziran.real_estate", row, **shown, identified_year=identified)

    def enterprises(self) -> Iterator[Found]:
        for row, _, identified in self.own("shichang.enterprises"):
            kind, role = row["entity_kind"], row["role"]
            heads = {"法定代表人", "合作社理事长"}
            if role not in heads | {"股东", "董事", "合伙人", "投资人"} or kind in {"个体工商户", "家庭农场"}:
                continue
            if kind.startswith("农民专业合作社") and role not in heads:
                continue
            if row["entity_status"] != "存续" or self.over(row["ended_on"]) or self.over(row["left_on"]):
                continue
            if (row["took_up_on"] or row["established_on"]).year > identified:
                continue
            shown = pick(row, "entity_name", "entity_kind", "role", "established_on", "took_up_on", "entity_status")
            shown |= pick(row, "capital", "paid_capital", "share")
            yield self.found("RA-05", "shichang.enterprises", row, **shown, identified_year=identified)

    def vehicles(self) -> Iterator[Found]:
        for row, person, identified in self.own("gongan.vehicles"):
            kind = row["vehicle_kind"]
            if "摩托" in kind or kind in {"残疾人专用机动轮椅车", "电动自行车"} or row["vehicle_status"] != "正常":
                continue
            before = row["registered_on"].year <= identified
            if not before and self.homes[person["household_no"]]["poverty_status"] not in {"0", "2", "3"}:
                continue
            shown = pick(row, "plate", "vehicle_kind", "vehicle_use", "model", "registered_on", "vehicle_status")
            rule = "RA-02" if before else "RA-02B"
            yield self.found(rule, "gongan.vehicles", row, **shown, identified_year=identified)

    # -- who is who ----------------------------------------------------------------------------

    def numbers(self) -> Iterator[Found]:
        for person in self.people.values():
            if not person["id_valid"] and self.live(person):
                yield self.alone("RB-01", "registry.persons", person, **kin_and_birth(person))

    def twice(self) -> Iterator[Found]:
        holders = defaultdict(list)
        for person in self.people.values():
            if person["person_key"] is not None and self.live(person):
                holders[person["person_key"]].append(person)
        for several in holders.values():
            for one in several:
                for other in several:
                    if one["person_no"] < other["person_no"] and one["household_no"] != other["household_no"]:
                        shown = {"relation": one["relation"], "other_relation": other["relation"]}
                        shown |= {f"other_{key}": other[key] for key in ("person_no", "household_no", "village_code")}
                        yield self.alone("RB-06", "registry.persons", one, **shown)

    def names(self) -> Iterator[Found]:
        for row, person, _ in self.own("gongan.population", name=False):
            if not row["name_agrees"] and person["id_valid"] and row["hukou_status"] != "重复户口注销":
                shown = {"hukou_name": row["person_name"], **pick(row, "former_name", "hukou_status")}
                yield self.found("RB-02", "gongan.population", row, **shown, relation=person["relation"])

    def unknown(self) -> Iterator[Found]:
        known = {row["person_no"] for row in self.records["gongan.population"]}
        for person in self.people.values():
            born = person["birth_date"]
            newborn = born is not None and (self.day - born).days <= 180
            if person["person_no"] not in known and person["id_valid"] and self.live(person) and not newborn:
                yield self.alone("RB-03", "gongan.population", person, **kin_and_birth(person))

    def dead(self) -> Iterator[Found]:
        for row, person, _ in self.own("gongan.deaths"):
            if row["died_on"] <= self.day and row["death_status"] != "撤销":
                shown = pick(row, "died_on", "death_source", "death_registered_on")
                yield self.found("RB-04", "gongan.deaths", row, **shown, relation=person["relation"])

    def moved(self) -> Iterator[Found]:
        entries = defaultdict(list)
        for row, _, _ in self.own("gongan.population"):
            entries[row["person_no"]].append(row)
        for number, several in entries.items():
            statuses = {row["hukou_status"] for row in several}
            if statuses & {"正常", "县内迁移", "入伍注销", "死亡注销"}:
                continue
            gone = [row for row in several if row["hukou_status"] in {"迁往县外", "出国境定居注销", "其他注销"}]
            if gone:
                shown = {
                    "left_how": largest(gone, "hukou_status"),
                    "left_on": largest(gone, "changed_on"),
                    "left_to": largest(gone, "moved_to"),
                    "relation": self.people[number]["relation"],
                }
                first = min(several, key=lambda row: row["source_row"])
                yield self.found("RB-05", "gongan.population", first, **shown)

    def left_out(self) -> Iterator[Found]:
        """Strangers in a registered family's book, once for each household that shares the book."""
        books = defaultdict(list)
        for row, person, _ in self.own("gongan.population"):
            if row["hukou_status"] == "正常" and row["hukou_kind"] != "集体户":
                books[row["hukou_no"]].append((person["household_no"], row["person_no"], row["source_row"], row))
        for stranger in self.strangers:
            if stranger["hukou_status"] != "正常" or stranger["hukou_kind"] == "集体户":
                continue
            if stranger["hukou_relation"] in {"其他", "非亲属", "寄居", "寄住"}:
                continue
            first: dict[int, Row] = {}
            for home, _, _, row in sorted(books.get(stranger["hukou_no"], ()), key=lambda item: item[:3]):
                first.setdefault(home, row)
            for row in first.values():
                shown = {
                    "other_hukou_name": stranger["person_name"],
                    "other_hukou_relation": stranger["hukou_relation"],
                    "other_hukou_sex": stranger["sex"],
                    "other_hukou_birth_date": stranger["birth_date"],
                    "other_moved_in_on": stranger["moved_in_on"],
                }
                yield self.found("RB-07", "gongan.population", row, **shown)

    def elsewhere(self) -> Iterator[Found]:
        by_home = defaultdict(list)
        for row, person, _ in self.own("gongan.population"):
            if row["hukou_status"] == "正常" and row["hukou_kind"] != "集体户":
                by_home[person["household_no"]].append((row, person))
        for entries in by_home.values():
            heads = [row for row, person in entries if person["relation"] == "01"]
            for row, person in entries:
                for head in heads:
                    if person["relation"] in {"02", "03", "04", "07", "08"} and row["hukou_no"] != head["hukou_no"]:
                        shown = {"relation": person["relation"], **pick(row, "hukou_relation", "hukou_area")}
                        shown |= {"moved_in_on": row["moved_in_on"], "other_hukou_area": head["hukou_area"]}
                        yield self.found("RB-07B", "gongan.population", row, **shown)

    # -- support and certificates --------------------------------------------------------------

    def relief(self, rule: str, registered: str, categories: set[str]) -> Iterator[Found]:
        paid = set()
        for row in self.records["minzheng.dibao"]:
            started = row["started_on"] is None or row["started_on"] <= self.day
            if row["relief_category"] not in categories or row["relief_status"] != "在享":
                continue
            if not started or self.over(row["stopped_on"]):
                continue
            paid.add(row["person_no"])
            person = self.people[row["person_no"]]
            if self.live(person) and row["name_agrees"] and not person[registered]:
                shown = {
                    **pick(row, "relief_category", "started_on", "relief_status"),
                    "relief_persons": row["persons"],
                }
                yield self.found(rule, "minzheng.dibao", row, **shown)
        for person in self.people.values():
            if person[registered] and person["person_no"] not in paid and person["id_valid"] and self.live(person):
                category = self.homes[person["household_no"]]["household_category"]
                shown = {registered: True, "household_category": category, "relation": person["relation"]}
                yield self.alone(rule + "B", "minzheng.dibao", person, **shown)

    def disability(self) -> Iterator[Found]:
        certified = set()
        for row in self.records["canlian.certificates"]:
            if row["certificate_status"] != "有效" or (row["expires_on"] and row["expires_on"] < self.day):
                continue
            certified.add(row["person_no"])
            person = self.people[row["person_no"]]
            if self.live(person) and row["name_agrees"] and "04" not in (person["health"] or "").split(","):
                shown = pick(row, "disability_type", "disability_grade", "issued_on", "expires_on")
                yield self.found("RC-04", "canlian.certificates", row, **shown, health=person["health"])
        for person in self.people.values():
            if "04" not in (person["health"] or "").split(",") or person["person_no"] in certified:
                continue
            if person["id_valid"] and self.live(person):
                shown = {"health": person["health"], "relation": person["relation"]}
                yield self.alone("RC-04B", "canlian.certificates", person, **shown)

    def alone(self, rule: str, dataset: str, person: Row, **evidence: Any) -> Found:
        """A finding that no department's record says."""
        return rule, person["person_no"], dataset, person["person_no"], said(evidence)


def rows(path: Path) -> list[Row]:
    found: list[Row] = pq.read_table(path).to_pylist()
    return found


def pick(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def kin_and_birth(person: Row) -> Row:
    return {"relation": person["relation"], "person_birth_date": person["birth_date"]}


def largest(several: list[Row], name: str) -> Any:
    return max((row[name] for row in several if row[name] is not None), default=None)


def said(evidence: Row) -> str:
    """Evidence in one form, whatever the order of its names."""
    return json.dumps(evidence, ensure_ascii=False, sort_keys=True, default=str)
