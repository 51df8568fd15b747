"""Who stands in one household book (户口簿) with whom: what public security knows of kinship (domain.md §6.2, D01).

The register holds everybody, the registry of the poor only some: a verifier who was never poor is
kin to a household all the same. An index keeps the books in which somebody registered stands, by
person key and without the books' numbers, for each delivery of the register once it is resolved.
Who is no family in a book (lodgers, collective books) is what rule RB-07 says of that day and place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from wanjia.comparison import inputs
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step
from wanjia.kernel import clock
from wanjia.lake import AlreadyPublished, Columns, Type, serving
from wanjia.ruleset.binding import bind
from wanjia.ruleset.packs import declared_rules
from wanjia.scope.stores import lake
from wanjia.sources import queries as sources
from wanjia.sources.models import Batch

DATASET, FAMILY_RULE = "gongan.population", "RB-07"
PIECE = 500
LINES: Columns = {
    "hukou_no": Type.TEXT,
    "hukou_kind": Type.TEXT,
    "hukou_relation": Type.TEXT,
}
MEMBER = serving.ServingTable(
    name="member",
    columns={"person_key": Type.BIGINT, "book": Type.INTEGER},
    key=("person_key", "book"),
    indexes=(("book", "person_key"),),
)


def address_of(batch: int, snapshot: str) -> str:
    """Where the lake keeps the books of a delivery, with who was registered at that snapshot."""
    return f"serving/books@{batch},{snapshot}.sqlite"


def keep_books(batch: Batch, snapshot: str, region: str) -> None:
    """Make the index of a resolved delivery of the register, if it is not there yet; nothing of other datasets."""
    store, address = lake(), address_of(batch.pk, snapshot)
    if batch.dataset != DATASET or store.exists(address):
        return
    matched = store.path(inputs.resolved_address(batch.dataset, batch.pk, snapshot), "matched.parquet")
    try:
        with store.publishing_file(address) as target:
            engine = DuckDB(memory_limit="1GB", spill=target.parent / "spill")
            rows = engine.batches(_members(sources.typed_paths(batch), matched, region))
            serving.build(target, [(MEMBER, rows)], {"batch": str(batch.pk), "snapshot": snapshot})
    except AlreadyPublished:
        return  # another worker was faster, from the same files


def _members(records: Sequence[Path], matched: Path, region: str) -> Pipeline:
    not_family = (("hukou_kind", _of_rule("collective", region)), ("hukou_relation", _of_rule("outsiders", region)))
    family = " and ".join(
        f"coalesce({column} not in ({', '.join(_quoted(word) for word in words)}), true)"
        for column, words in not_family
        if words
    )
    where = f" and {family}" if family else ""
    books = f"select distinct hukou_no from {{matched}} where hukou_no is not null{where}"  # noqa: S608 - the rule's own words, quoted
    numbered = "select hukou_no, row_number() over (order by hukou_no) as book from {books}"
    members = f"""
        select distinct r.person_key, n.book
        from (select person_key, hukou_no from {{records}} where person_key is not null{where}) as r
        join {{numbered}} as n on n.hukou_no = r.hukou_no
        order by r.person_key, n.book
    """  # noqa: S608 - as above
    steps = [
        Step("books", "In which books does somebody registered stand?", books, ("matched",)),
        Step("numbered", "Which number stands for which book?", numbered, ("books",)),
        Step("members", "Who stands in these books, whether registered or not?", members, ("records", "numbered")),
    ]
    typed: Columns = {"person_key": Type.BIGINT, **LINES}
    return Pipeline([Source("records", tuple(records), typed), Source("matched", (matched,), LINES)], steps)


def _of_rule(name: str, region: str) -> tuple[str, ...]:
    """The values of a parameter of the rule about household books, on this day."""
    today = clock.today()
    for rule in declared_rules(region=region):
        if rule.id == FAMILY_RULE and rule.in_force(today):
            value = bind(rule, region=region, on=today).zones[-1].values.get(name, ())
            return tuple(str(word) for word in (value if isinstance(value, tuple) else (value,)))
    return ()


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def in_one_book(person_keys: Collection[int], region: str) -> dict[int, set[int]]:
    """Person key → those of the others who stand in a book of the current deliveries with him."""
    found: dict[int, set[int]] = {}
    for path in _indexes(region) if person_keys else ():
        for key, other in _beside(path, sorted(person_keys)):
            found.setdefault(key, set()).add(other)
    return found


def _indexes(region: str) -> list[Path]:
    """The newest index of each delivery of the register in force; one that is not resolved yet has none."""
    store = lake()
    newest: dict[int, str] = {}
    for resolved in store.list(f"resolved/{DATASET}"):  # in order, so the newest snapshot comes last
        batch, _, snapshot = resolved.rpartition("/batch=")[2].partition(",snapshot=")
        if store.exists(address := address_of(int(batch), snapshot)):
            newest[int(batch)] = address
    if not newest:
        return []
    return [store.path(newest[batch.pk]) for batch in inputs.current_batches(region, [DATASET]) if batch.pk in newest]


def _beside(path: Path, keys: Sequence[int]) -> Iterator[tuple[int, int]]:
    with closing(serving.connect(path)) as index:
        for start in range(0, len(keys), PIECE):
            piece = keys[start : start + PIECE]
            marks = ", ".join("?" * len(piece))
            yield from index.execute(
                "SELECT m.person_key, o.person_key FROM member m JOIN member o ON o.book = m.book"  # noqa: S608 - marks only
                f" WHERE m.person_key IN ({marks}) AND o.person_key <> m.person_key",
                piece,
            )
