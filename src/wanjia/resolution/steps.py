"""Whose record is this? The exact pass, as steps the engine joins into one statement.

A record belongs to the registered people who hold its number. Where several do (siblings under
one number, one person registered twice; domain.md §18 trap 12) it belongs to those whose name
agrees, and if that decides nothing, to all of them. The number alone decides *who*; whether the
name agrees is kept beside it, because a different name under the same number is a question about
the number, not about a car (domain.md §6.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.lake.columns import Columns, Type

EXACT = "exact"

PERSONS: Columns = {"person_no": Type.INTEGER, "person_key": Type.BIGINT, "name_match": Type.TEXT}
OF_MATCH: Columns = {
    "person_no": Type.INTEGER,
    "method": Type.TEXT,
    "score": Type.INTEGER,  # hundredths; an exact key is 100
    "name_agrees": Type.BOOLEAN,
    "ambiguous": Type.BOOLEAN,
}

# A lost character (?, □, a private code point) agrees with any one character, as long as something
# known agrees too: kernel.names.same, in SQL. Asked only where the plain forms differ.
_LOST = "'[?□■◻�\ue000-\uf8ff]'"
_PAIRS = "list_transform(range(1, len(r.name_match) + 1), lambda i: "
NAME_AGREES = f"""
    case
      when r.name_match = '' or p.name_match = '' then false
      when r.name_match = p.name_match then true
      when len(r.name_match) <> len(p.name_match) then false
      when not regexp_matches(r.name_match || p.name_match, {_LOST}) then false
      else list_bool_and({_PAIRS}substr(r.name_match, i, 1) = substr(p.name_match, i, 1)
                  or regexp_matches(substr(r.name_match, i, 1) || substr(p.name_match, i, 1), {_LOST})))
           and list_bool_or({_PAIRS}substr(r.name_match, i, 1) = substr(p.name_match, i, 1)
                  and not regexp_matches(substr(r.name_match, i, 1), {_LOST})))
    end
"""


def matched_columns(typed: Columns) -> Columns:
    """The columns of a matched file: whose, how, and the record without its key."""
    return {**OF_MATCH, **{name: kind for name, kind in typed.items() if name != "person_key"}}


def _sources(records: Sequence[Path], persons: Path, typed: Columns) -> list[Source]:
    return [Source("records", tuple(records), typed), Source("persons", (persons,), PERSONS)]


def _holders() -> Step:
    return Step(
        name="holders",
        question="How many registered people hold each number?",
        sql="""
            select person_key, count(*) as n
            from {persons} where person_key is not null group by person_key
        """,
        reads=("persons",),
        kept=True,
    )


def matched(records: Sequence[Path], persons: Path, typed: Columns) -> Pipeline:
    """Records of registered people, sorted by person and source row."""
    kept = ", ".join(f"r.{name}" for name in typed if name != "person_key")
    columns = ", ".join(matched_columns(typed))
    paired = f"""
        select p.person_no, h.n, {NAME_AGREES} as name_agrees, {kept}
        from {{records}} as r
        join {{persons}} as p on p.person_key = r.person_key
        join {{holders}} as h on h.person_key = r.person_key
    """  # noqa: S608 - declared names
    shared = """
        select *, bool_or(name_agrees) over w as somebody_agrees, count(*) filter (where name_agrees) over w as agreeing
        from {paired} where n > 1
        window w as (partition by source_row)
    """
    owned = f"""
        select {columns} from (
          select *, '{EXACT}' as method, 100 as score, false as ambiguous from {{paired}} where n = 1
          union all by name
          select * exclude (somebody_agrees, agreeing), '{EXACT}' as method, 100 as score,
                 case when somebody_agrees then agreeing > 1 else true end as ambiguous
          from {{shared}} where name_agrees or not somebody_agrees
        )
        order by person_no, source_row
    """  # noqa: S608 - declared names
    steps = [
        _holders(),
        Step("paired", "Which records carry a registered person's number?", paired, ("records", "persons", "holders")),
        Step("shared", "Where several people hold the number, whose name agrees?", shared, ("paired",)),
        Step("owned", "Whose record is it, then?", owned, ("paired", "shared")),
    ]
    return Pipeline(_sources(records, persons, typed), steps)


def unmatched(records: Sequence[Path], persons: Path, typed: Columns) -> Pipeline:
    """Records of nobody registered, kept by key: payments and missing members need exactly those people."""
    columns = ", ".join(f"r.{name}" for name in typed)
    sql = f"""
        select {columns} from {{records}} as r
        where r.person_key is null or not exists (select 1 from {{holders}} as h where h.person_key = r.person_key)
        order by r.source_row
    """  # noqa: S608 - declared names
    steps = [_holders(), Step("strangers", "Which records are of nobody registered?", sql, ("records", "holders"))]
    return Pipeline(_sources(records, persons, typed), steps)


def beside(
    records: Sequence[Path], persons: Path, typed: Columns, matched: Sequence[Path], keys: Sequence[Sequence[str]]
) -> Pipeline:
    """Records of nobody among `persons` that meet one of the `matched` records under all of some `keys`."""
    strangers = unmatched(records, persons, typed)
    columns = ", ".join(f"s.{name}" for name in typed)
    meets = [" and ".join(f"m.{name} = s.{name}" for name in some) for some in keys]
    sql = f"""
        select {columns} from {{strangers}} as s
        where exists (select 1 from {{matched}} as m where {" or ".join(meets)}) order by s.source_row
    """  # noqa: S608 - declared names
    step = Step("beside", "Which of these records stand beside somebody's?", sql, ("strangers", "matched"))
    shared = {name: typed[name] for some in keys for name in some}
    return Pipeline([*strangers.sources, Source("matched", tuple(matched), shared)], [*strangers.steps, step])


def counts(matched_file: Path) -> Pipeline:
    """One row: records, rows, records under whose number nobody has the name, records left ambiguous."""
    columns = {"source_row": Type.INTEGER, "name_agrees": Type.BOOLEAN, "ambiguous": Type.BOOLEAN}
    sql = """
        select count(*) as records, sum(n) as matches,
               count(*) filter (where not agrees) as name_differs, count(*) filter (where ambiguous) as ambiguous
        from (select source_row, count(*) as n, bool_or(name_agrees) as agrees, bool_or(ambiguous) as ambiguous
              from {matched} group by source_row)
    """
    step = Step("counted", "How many records found their person, and how surely?", sql, ("matched",))
    return Pipeline([Source("matched", (matched_file,), columns)], [step])
