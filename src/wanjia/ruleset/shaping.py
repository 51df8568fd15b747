"""What a rule file says beyond its condition, by shape: which records count, what they add up to, who is opposite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wanjia.engine.dialect import nearest
from wanjia.kernel.errors import Sentence
from wanjia.lake.columns import Type
from wanjia.ruleset.errors import UnknownEvidence
from wanjia.ruleset.reading import Node
from wanjia.ruleset.rule import How, Other, Per, Rows, Shape, Total
from wanjia.ruleset.vocabulary import HOUSEHOLD, Column, Origin, Vocabulary

# The keys a shape understands beside those of every rule, and those it cannot do without.
KEYS: Mapping[Shape, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Shape.PRESENT: ((), ()),
    Shape.ABSENT: ((), ("record",)),
    Shape.AGGREGATE: (("totals",), ("record",)),
    Shape.RELATION: (("with",), ()),
}
ALL_KEYS = ("record", "totals", "with")
_PER_HOUSEHOLD = (Shape.AGGREGATE, Shape.RELATION)
_SUMMABLE = (Type.INTEGER, Type.BIGINT)


@dataclass(frozen=True, slots=True)
class Shaped:
    """The parts of a rule that its shape decides."""

    per: Per
    record: str
    totals: Mapping[str, Total]
    other: Other | None
    vocabulary: Vocabulary


def shaped(shape: Shape, parts: Mapping[str, Node], base: Vocabulary) -> Shaped:
    """Read what `shape` adds. Raises MissingKey and UnknownKey through the node, WrongValue, UnknownEvidence."""
    required, optional = KEYS[shape]
    for name in ALL_KEYS:
        if name in parts and name not in (*required, *optional):
            raise parts[name].wrong(f"nothing: a rule of shape {shape.value} has no {name}")
    for name in required:
        if name not in parts:
            raise parts["shape"].wrong(f"a shape with {name}, or the key {name}")
    allowed = tuple(per.value for per in Per) if shape in _PER_HOUSEHOLD else (Per.PERSON.value,)
    per = Per(parts["per"].one_of(allowed))
    record = parts["record"].text() if "record" in parts else ""
    totals = _totals(parts.get("totals"), base)
    other = _other(parts.get("with"), base)
    return Shaped(per, record, totals, other, _vocabulary(shape, per, base, totals, other))


def _vocabulary(
    shape: Shape, per: Per, base: Vocabulary, totals: Mapping[str, Total], other: Other | None
) -> Vocabulary:
    """What the condition of such a rule may name."""
    match shape:
        case Shape.ABSENT:
            return base.only(Origin.PERSON, Origin.HOUSEHOLD)
        case Shape.AGGREGATE:
            about = base.only(Origin.HOUSEHOLD) if per is Per.HOUSEHOLD else base.only(Origin.PERSON, Origin.HOUSEHOLD)
            return about.with_totals(_column(total, base) for total in totals.values())
        case Shape.RELATION:
            return base.with_other(matched=other is not None and other.rows is Rows.MATCHED)
        case Shape.PRESENT:
            return base


def _column(total: Total, base: Vocabulary) -> Column:
    kind = Type.BIGINT if total.how in (How.COUNT, How.SUM) else base.columns[total.of].type
    return Column(total.name, kind, Origin.TOTAL, total.name, total.label, evidence=True)


def _totals(node: Node | None, base: Vocabulary) -> dict[str, Total]:
    found = {}
    for name, item in node.mapping().items() if node else ():
        if name in base.columns:
            raise item.wrong("a total whose name is not a column's")
        parts = item.keys(("zh", "en", "how"), ("of", "where"))
        how = How(parts["how"].one_of(tuple(kind.value for kind in How)))
        of = "" if how is How.COUNT else _summed(item, parts, base, how)
        if how is How.COUNT and "of" in parts:
            raise parts["of"].wrong("nothing: a count is of records")
        where = parts["where"].text() if "where" in parts else ""
        found[name] = Total(name, Sentence(parts["zh"].text(), parts["en"].text()), how, of, where)
    return found


def _summed(item: Node, parts: Mapping[str, Node], base: Vocabulary, how: How) -> str:
    records = base.of(Origin.RECORD)
    name = parts["of"].text() if "of" in parts else ""
    if name not in records:
        raise UnknownEvidence(file=item.file, key=item.key, name=name, nearest=nearest(name, list(records)))
    if how is How.SUM and records[name].type not in _SUMMABLE:
        raise parts["of"].wrong("a column of whole numbers")
    return name


def _other(node: Node | None, base: Vocabulary) -> Other | None:
    if node is None:
        return None
    parts = node.keys(("rows", "keys"), ("households_apart", "both_ways"))
    keys = parts["keys"].texts()
    rows = Rows(parts["rows"].one_of(tuple(kind.value for kind in Rows)))
    known = [*base.keys, HOUSEHOLD] if rows is Rows.MATCHED else list(base.keys)
    for name in keys:
        if name not in known:
            raise UnknownEvidence(file=node.file, key=node.key, name=name, nearest=nearest(name, known))
    apart = "households_apart" in parts and parts["households_apart"].flag()
    if apart and rows is Rows.UNMATCHED:
        raise parts["households_apart"].wrong("nothing: somebody who is not registered has no household here")
    both_ways = "both_ways" in parts and parts["both_ways"].flag()
    if both_ways and rows is Rows.UNMATCHED:
        raise parts["both_ways"].wrong("nothing: a finding is about somebody who is registered")
    return Other(rows, keys, apart, both_ways)
