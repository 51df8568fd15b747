"""Aggregate: what the records of a person, or of a household, add up to."""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.engine.pipeline import Step, braced
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.rule import How, Per, Total
from wanjia.ruleset.steps.shared import Pass, evidence, joined
from wanjia.ruleset.vocabulary import Origin


def steps(whole: Pass, rules: Sequence[BoundRule]) -> tuple[list[Step], str]:
    """The steps over `records`, and the name of the one that answers."""
    made: list[Step] = []
    numbered = list(enumerate(rules))
    for per in Per:
        of_per = [(n, item) for n, item in numbered if item.rule.per is per]
        if of_per:
            made += [_sums(per, of_per)] if per is Per.PERSON else [_heads(), _sums(per, of_per)]
    found = Step(
        name="found_sums",
        question="One line per rule and person or household whose sums it fires on.",
        sql=joined(_found(whole, n, item) for n, item in numbered),
        reads=tuple(dict.fromkeys(name for _, item in numbered for name in _reads(item.rule.per))),
    )
    return [*made, found], found.name


def _reads(per: Per) -> tuple[str, ...]:
    return ("sums_person", "persons", "households") if per is Per.PERSON else ("sums_household", "heads", "households")


def _heads() -> Step:
    """A household's findings stand under its head, or under its first member where it has none."""
    return Step(
        name="heads",
        question="Under whose number does each household stand?",
        sql="""
            select household_no, coalesce(min(head_no), min(person_no)) as person_no
            from (select *, case when relation = '01' and in_household then person_no end as head_no from {persons})
            group by household_no
        """,
        reads=("persons",),
    )


def _sums(per: Per, rules: Sequence[tuple[int, BoundRule]]) -> Step:
    """All sums of all rules in one grouping: each counts the records its own condition lets through."""
    whose = "person_no" if per is Per.PERSON else "household_no"
    columns = [whose]
    for number, item in rules:
        where = f"filter (where {braced(item.record_sql)})"
        columns += [
            f"cast(count(*) {where} as bigint) as n_{number}",
            f"min(source_row) {where} as row_{number}",
            f"max(batch) {where} as batch_{number}",
            *(f"{_sum(item, total)} as t_{number}_{total.name}" for total in item.rule.totals.values()),
        ]
    return Step(
        name=f"sums_{per.value}",
        question=f"What do the records of each {per.value} add up to?",
        sql=f"select {', '.join(columns)} from {{owned}} group by {whose}",  # noqa: S608 - declared names
        reads=("owned",),
    )


def _sum(item: BoundRule, total: Total) -> str:
    where = f"filter (where {braced(item.sum_sql(total.name))})"
    what = f"count(*) {where}" if total.how is How.COUNT else f"{total.how.value}({total.of}) {where}"
    # a sum of whole numbers is HUGEINT in one engine and BIGINT in the other
    return f"cast({what} as bigint)" if total.how in (How.SUM, How.COUNT) else what


def _found(whole: Pass, number: int, item: BoundRule) -> str:
    totals = [f"s.t_{number}_{name} as {name}" for name in item.rule.totals]
    common = [
        f"s.row_{number} as source_row",
        f"s.batch_{number} as batch",
        "h.household_no",
        "h.village_code",
        *totals,
        *whole.renamed(Origin.HOUSEHOLD, "h"),
    ]
    if item.rule.per is Per.PERSON:
        columns = ["p.person_no", *common, *whole.renamed(Origin.PERSON, "p")]
        tables = """{sums_person} as s join {persons} as p on p.person_no = s.person_no
            join {households} as h on h.household_no = p.household_no"""
    else:
        columns = ["d.person_no", *common]
        tables = """{sums_household} as s join {heads} as d on d.household_no = s.household_no
            join {households} as h on h.household_no = s.household_no"""
    return f"""
        select '{item.rule.id}' as rule, person_no, household_no, village_code, '{whole.dataset}' as dataset,
               batch, source_row, {evidence(item)} as evidence
        from (select {", ".join(columns)} from {tables} where s.n_{number} > 0)
        where coalesce({braced(item.condition_sql)}, false)
    """  # noqa: S608 - rendered by the dialect
