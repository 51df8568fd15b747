"""Present: a record of the person says so."""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.engine.pipeline import Step, braced
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.steps.shared import Pass, found_line, joined
from wanjia.ruleset.vocabulary import Origin


def steps(whole: Pass, rules: Sequence[BoundRule]) -> tuple[list[Step], str]:
    """The steps over `records`, and the name of the one that answers."""
    return [_candidates(rules), _facts(whole), _judged(rules), _found(whole, rules)], "found"


def _candidates(rules: Sequence[BoundRule]) -> Step:
    """Records no rule could fire on are left out before the joins."""
    wanted = [" and ".join(f"({braced(part)})" for part in item.record_conditions) for item in rules]
    condition = " or ".join(f"({part})" for part in wanted) if all(wanted) else "true"
    return Step(
        name="candidates",
        question="Which of them could concern a rule, judging by the record alone?",
        sql=f"select * from {{records}} where {condition}",  # noqa: S608 - rendered by the dialect
        reads=("records",),
    )


def _facts(whole: Pass) -> Step:
    columns = [
        "c.*",
        "h.household_no",
        "h.village_code",
        *whole.renamed(Origin.PERSON, "p"),
        *whole.renamed(Origin.HOUSEHOLD, "h"),
    ]
    return Step(
        name="facts",
        question="What does the registry say of the person and the household each record is about?",
        sql=f"""
            select {", ".join(columns)}
            from {{candidates}} as c
            join {{persons}} as p on p.person_no = c.person_no
            join {{households}} as h on h.household_no = p.household_no
        """,  # noqa: S608 - declared names
        reads=("candidates", "persons", "households"),
    )


def _judged(rules: Sequence[BoundRule]) -> Step:
    flags = ",\n    ".join(
        f"coalesce({braced(item.condition_sql)}, false) as {_flag(n)}" for n, item in enumerate(rules)
    )
    fires = " or ".join(_flag(n) for n in range(len(rules)))
    return Step(
        name="judged",
        question="Which rules fire on which record?",
        sql=f"select * from (select *,\n    {flags}\n  from {{facts}}) where {fires}",  # noqa: S608 - rendered by the dialect
        reads=("facts",),
        kept=True,
    )


def _found(whole: Pass, rules: Sequence[BoundRule]) -> Step:
    return Step(
        name="found",
        question="One line per rule and record, with the evidence the rule declares.",
        sql=joined(found_line(item, whole.dataset, "judged", _flag(n)) for n, item in enumerate(rules)),
        reads=("judged",),
    )


def _flag(number: int) -> str:
    return f"fires_{number}"
