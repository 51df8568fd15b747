"""Absent: no record says so, where the current batches would have said it."""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.engine.pipeline import Step, braced
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.steps.shared import Pass, found_line, joined
from wanjia.ruleset.vocabulary import Origin


def steps(whole: Pass, rules: Sequence[BoundRule]) -> tuple[list[Step], str]:
    """The steps over `records`, and the name of the one that answers."""
    conditions = list(dict.fromkeys(item.record_sql for item in rules))
    spoken = [_spoken(number, condition) for number, condition in enumerate(conditions)]
    tables = {condition: step.name for condition, step in zip(conditions, spoken, strict=True)}
    judged = _judged(whole, rules, [tables[item.record_sql] for item in rules])
    found = Step(
        name="found_absent",
        question="One line per rule and person of whom no record speaks.",
        sql=joined(found_line(item, whole.dataset, "silence", _flag(n)) for n, item in enumerate(rules)),
        reads=("silence",),
    )
    return [*spoken, judged, found], found.name


def _spoken(number: int, condition: str) -> Step:
    return Step(
        name=f"spoken_{number}",
        question="Of whom is there a record that counts?",
        sql=f"select distinct person_no from {{owned}} where {braced(condition)}",  # noqa: S608 - rendered by the dialect
        reads=("owned",),
    )


def _judged(whole: Pass, rules: Sequence[BoundRule], tables: Sequence[str]) -> Step:
    """Everybody in the areas the batches cover, with the rules whose record he lacks."""
    columns = [
        "p.person_no",
        "p.person_no as source_row",
        f"{whole.newest} as batch",
        "h.household_no",
        "h.village_code",
        *whole.renamed(Origin.PERSON, "p"),
        *whole.renamed(Origin.HOUSEHOLD, "h"),
    ]
    named = list(dict.fromkeys(tables))
    lacks = [f"{table}.person_no is null as lacks_{table}" for table in named]
    joins = "\n".join(f"left join {{{table}}} as {table} on {table}.person_no = p.person_no" for table in named)
    flags = ",\n    ".join(
        f"lacks_{table} and coalesce({braced(item.condition_sql)}, false) as {_flag(n)}"
        for n, (item, table) in enumerate(zip(rules, tables, strict=True))
    )
    fires = " or ".join(_flag(n) for n in range(len(rules)))
    return Step(
        name="silence",
        question="Who lacks the record he should have, where the batches would have had it?",
        sql=f"""
            select * from (select *,
                {flags}
              from (
                select {", ".join([*columns, *lacks])}
                from {{persons}} as p
                join {{households}} as h on h.household_no = p.household_no
                {joins}
                where {whole.covered("h.village_code")}
              )) where {fires}
        """,  # noqa: S608 - rendered by the dialect
        reads=("persons", "households", *named),
        kept=True,
    )


def _flag(number: int) -> str:
    return f"silent_{number}"
