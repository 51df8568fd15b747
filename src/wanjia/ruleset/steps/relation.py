"""Relation: two people, two households, or two datasets, held against each other."""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.engine.pipeline import Step, braced
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.rule import Other, Per, Rows
from wanjia.ruleset.steps.shared import Pass, evidence, joined
from wanjia.ruleset.vocabulary import MADE_BY_RESOLUTION, OTHER, Origin


def steps(whole: Pass, rules: Sequence[BoundRule]) -> tuple[list[Step], str]:
    """The steps over `records`, and the name of the one that answers."""
    made = [_sides(whole)]
    if any(_other(item).rows is Rows.UNMATCHED for item in rules):
        made.append(_nobodys(whole))
    pairs = [_pairs(number, item) for number, item in enumerate(rules)]
    found = Step(
        name="found_pairs",
        question="One line per rule and pair it fires on.",
        sql=joined(_found(whole, number, item) for number, item in enumerate(rules)),
        reads=tuple(step.name for step in pairs),
    )
    return [*made, *pairs, found], found.name


def _other(item: BoundRule) -> Other:
    if item.rule.other is None:
        raise ValueError(f"{item.rule.id} relates to nothing")
    return item.rule.other


def _sides(whole: Pass) -> Step:
    """Records with their person and household: either side of a pair."""
    columns = [
        "r.person_no",
        "r.source_row",
        "r.batch",
        "h.household_no",
        "h.village_code",
        *(f"r.{name}" for name in whole.keys),
        *(f"r.{name} as r_{name}" for name in whole.names(Origin.RECORD)),
        *whole.renamed(Origin.PERSON, "p", "p_"),
        *whole.renamed(Origin.HOUSEHOLD, "h", "h_"),
    ]
    return Step(
        name="sides",
        question="What is known of each record, its person and its household?",
        sql=f"""
            select {", ".join(columns)}
            from {{records}} as r
            join {{persons}} as p on p.person_no = r.person_no
            join {{households}} as h on h.household_no = p.household_no
        """,  # noqa: S608 - declared names
        reads=("records", "persons", "households"),
    )


def _nobodys(whole: Pass) -> Step:
    """Records of nobody registered; they have keys and what they say, but no person and no household."""
    says = [
        f"{'null' if column.source in MADE_BY_RESOLUTION else f'n.{column.source}'} as r_{name}"
        for name, column in whole.vocabulary.of(Origin.RECORD).items()
        if name in whole.used
    ]
    columns = ", ".join(["n.source_row", *(f"n.{name}" for name in whole.keys), *says])
    numbers = sorted(whole.inputs.unmatched)
    return Step(
        name="nobodys",
        question="Which records are of nobody registered?",
        sql=joined(f"select {columns}, {number} as batch from {{nobodys_{number}}} as n" for number in numbers),  # noqa: S608 - declared names
        reads=tuple(f"nobodys_{number}" for number in numbers),
    )


_SIDES = {
    Origin.RECORD: "l.r_",
    Origin.PERSON: "l.p_",
    Origin.HOUSEHOLD: "l.h_",
    Origin.OTHER_RECORD: "o.r_",
    Origin.OTHER_PERSON: "o.p_",
    Origin.OTHER_HOUSEHOLD: "o.h_",
}
_OTHERS_PLACE = ("person_no", "household_no", "village_code")


def _pairs(number: int, item: BoundRule) -> Step:
    other = _other(item)
    matched = other.rows is Rows.MATCHED
    columns = [
        "l.person_no",
        "l.household_no",
        "l.village_code",
        "l.batch",
        "l.source_row",
        "o.source_row as other_row",
    ]
    if matched:
        columns += [f"o.{name} as {OTHER}{name}" for name in _OTHERS_PLACE]
    columns += [
        f"{_SIDES[column.origin]}{name.removeprefix(OTHER)} as {name}"
        for name, column in item.rule.vocabulary.columns.items()
        if name in item.columns and column.origin in _SIDES
    ]
    on = " and ".join(f"o.{name} = l.{name}" for name in other.keys)
    # a pair is one pair, whoever is named first, unless either side may be the one it is about
    apart = f" and l.person_no {'<>' if other.both_ways else '<'} o.person_no" if matched else ""
    apart += " and l.household_no <> o.household_no" if other.households_apart else ""
    side = "sides" if matched else "nobodys"
    return Step(
        name=f"pairs_{number}",
        question="Which of them meet under the same key, and does the rule fire on the pair?",
        sql=f"""
            select * from (
              select {", ".join(columns)} from {{sides}} as l join {{{side}}} as o on {on}{apart}
            ) where {braced(item.condition_sql)}
        """,  # noqa: S608 - rendered by the dialect
        reads=tuple(dict.fromkeys(("sides", side))),
    )


def _found(whole: Pass, number: int, item: BoundRule) -> str:
    """Per household a pair stands once, under the first of its people who meets the other record."""
    pairs = f"{{pairs_{number}}}"
    if item.rule.per is Per.HOUSEHOLD:
        order = "row_number() over (partition by household_no, other_row order by person_no, source_row)"
        pairs = f"(select * from (select *, {order} as nth from {pairs}) where nth = 1)"  # noqa: S608 - a step's name
    return f"""
        select '{item.rule.id}' as rule, person_no, household_no, village_code, '{whole.dataset}' as dataset,
               batch, source_row, {evidence(item)} as evidence
        from {pairs}
    """  # noqa: S608 - rendered by the dialect
