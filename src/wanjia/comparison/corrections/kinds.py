"""Every correction there is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from wanjia.casework.declared import AskedField
from wanjia.comparison.choices import Correction
from wanjia.comparison.corrections import household, members, person
from wanjia.comparison.corrections.kind import DONE, Intent, Kind, Said
from wanjia.comparison.corrections.matter import Matter, Unusable
from wanjia.kernel.errors import Sentence

WRITTEN = Sentence("县级同意后写入建档立卡", "Written to the registry once the county agrees")
LONGEST_MEASURE = 500


def _measure_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    del matter, language
    return (AskedField(name="measure", title=Sentence("整改措施", "What was done")),)


def _measure(matter: Matter, said: Said) -> Intent:
    del matter
    if len(said["measure"]) > LONGEST_MEASURE:
        raise Unusable("请写明整改措施（500 字以内）", "say what was done, in at most 500 characters")
    return DONE  # it stands in the history; the registry says nothing of it


def _leaving(zh: str, en: str) -> Sentence:
    return Sentence(
        f"县级同意后，{zh}；没有别的成员时该户注销",
        f"Once the county agrees {en}; a household nobody is left in is cancelled",
    )


KINDS: Mapping[Correction, Kind] = MappingProxyType({
    Correction.REMOVE: Kind(
        Sentence(
            "县级同意后，该户退出在册，家庭成员状态改为“户清退时清退人员”",
            "Once the county agrees the household leaves the registry; its members get the status of removed people",
        ),
        household.removal_asked,
        household.removal,
    ),
    Correction.EXIT: Kind(
        Sentence(
            "县级同意后，脱贫标志改为“已脱贫”，仍享受政策",
            "Once the county agrees the household is marked as exited; it keeps its entitlements",
        ),
        household.exit_asked,
        household.exit,
    ),
    Correction.IDENTIFIED: Kind(WRITTEN, household.identified_asked, household.identified),
    Correction.FIELD: Kind(WRITTEN, household.field_asked, household.field),
    Correction.NAME: Kind(WRITTEN, person.name_asked, person.name),
    Correction.NUMBER: Kind(
        Sentence(
            "县级同意后写入建档立卡；出生日期和性别随号码更正",
            "Written to the registry once the county agrees, with the date of birth and sex the number says",
        ),
        person.number_asked,
        person.number,
    ),
    Correction.RELATION: Kind(WRITTEN, person.relation_asked, person.relation),
    Correction.DIBAO: Kind(WRITTEN, person.dibao_asked, person.dibao),
    Correction.TEKUN: Kind(WRITTEN, person.tekun_asked, person.tekun),
    Correction.HEALTH: Kind(WRITTEN, person.health_asked, person.health),
    Correction.DIED: Kind(
        _leaving("人员状态改为“死亡”", "the person's status is “died”"), members.died_asked, members.died
    ),
    Correction.LEFT: Kind(
        _leaving("成员按原因核减", "the member leaves for that reason"), members.left_asked, members.left
    ),
    Correction.STRUCK: Kind(_leaving("成员删除", "the member is struck out"), members.struck_asked, members.struck),
    Correction.KEEP: Kind(
        _leaving(
            "另一处的登记删除，人员编号并入保留的一处", "the other entry is struck out, its number means the kept one"
        ),
        members.keep_asked,
        members.keep,
    ),
    Correction.ADDED: Kind(
        Sentence(
            "县级同意后成为家庭成员；出生日期和性别以号码为准",
            "Becomes a member once the county agrees; date of birth and sex are what the number says",
        ),
        members.added_asked,
        members.added,
    ),
    Correction.MEASURE: Kind(
        Sentence("只记录整改措施", "Only the measure is recorded"), _measure_asked, _measure
    ),
})  # fmt: skip
