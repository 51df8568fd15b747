"""By what households and people are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wanjia.kernel.errors import Sentence
from wanjia.registry.models import Household, Person, PersonYear

AGES = (0, 3, 6, 16, 60, 65, 80)  # the first age of each band


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to part the registry. `filter` is the list's own filter that shows the households of a value."""

    code: str
    title: Sentence
    model: type[Household | Person | PersonYear]
    column: str
    code_list: str = ""
    several: bool = False  # one person may stand under several values
    filter: str = ""


_DECLARED = (
    Dimension("status", Sentence("脱贫标志", "Poverty status"), Household, "poverty_status", "poverty_status",
              filter="status"),
    Dimension("category", Sentence("贫困户属性", "Category"), Household, "household_category", "household_category",
              filter="category"),
    Dimension("cause", Sentence("主要致贫原因", "Main cause"), Household, "main_cause", "poverty_cause"),
    Dimension("identified", Sentence("识别年度", "Year identified"), Household, "identified_year"),
    Dimension("exited", Sentence("脱贫年度", "Year of exit"), Household, "exit_year"),
    Dimension("size", Sentence("家庭人口数", "Members"), Household, "member_count"),
    Dimension("sex", Sentence("性别", "Sex"), Person, "sex", "sex"),
    Dimension("age", Sentence("年龄段", "Age"), Person, "birth_date"),
    Dimension("ethnicity", Sentence("民族", "Ethnicity"), Person, "ethnicity", "ethnicity"),
    Dimension("health", Sentence("健康状况", "Health"), PersonYear, "health", "health", several=True),
    Dimension("labour", Sentence("劳动能力", "Labour capacity"), PersonYear, "labour_capacity", "labour_capacity"),
    Dimension("education", Sentence("文化程度", "Education"), PersonYear, "education", "education"),
    Dimension("student", Sentence("在校生状况", "Student status"), PersonYear, "student_status", "student_status"),
)  # fmt: skip
DIMENSIONS: Mapping[str, Dimension] = MappingProxyType({one.code: one for one in _DECLARED})
