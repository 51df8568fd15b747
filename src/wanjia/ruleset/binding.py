"""A rule bound to a region and a day: parameters have values, expressions are checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlglot import exp

from wanjia.engine.dialect import Checked, Value, check, check_condition
from wanjia.engine.errors import ExpressionRefused
from wanjia.lake.columns import Type
from wanjia.ruleset.errors import BadExpression, ParameterNotInForce
from wanjia.ruleset.rule import AS_OF, Rule
from wanjia.ruleset.vocabulary import Origin
from wanjia.scope.areas import next_code

Values = Mapping[str, "Value | tuple[Value, ...]"]


@dataclass(frozen=True, slots=True)
class Zone:
    """An area in which the rule's parameters have these values; `region` is the area's code."""

    region: str
    values: Values
    condition: Checked
    measures: Mapping[str, Checked]
    record: Checked | None = None  # which records count, where the rule says so
    sums: Mapping[str, Checked] = field(default_factory=dict)  # and which of them for one total


@dataclass(frozen=True, slots=True)
class BoundRule:
    """A rule ready to run. Zones are ordered from the smallest area to the whole region."""

    rule: Rule
    region: str
    on: dt.date
    zones: tuple[Zone, ...]

    @property
    def condition_sql(self) -> str:
        """True where the rule fires; where a smaller area has its own values, those count there."""
        return self._by_zone([zone.condition.sql for zone in self.zones])

    @property
    def record_conditions(self) -> tuple[str, ...]:
        """Parts of the condition that the department's record alone decides.

        Where the rule fires all of them are true, so records that fail one need not be joined.
        """
        if len(self.zones) > 1:
            return ()
        records = self.rule.vocabulary.of(Origin.RECORD).keys()
        return tuple(part.sql for part in self.zones[0].condition.conjuncts if part.columns and part.columns <= records)

    @property
    def record_sql(self) -> str:
        """True on the records that count; reads records with the village of their person."""
        texts = [zone.record.sql for zone in self.zones if zone.record is not None]
        return self._by_zone(texts) if texts else "true"

    def sum_sql(self, name: str) -> str:
        """True on the records a total adds up; reads records with the village of their person."""
        texts = [zone.sums[name].sql for zone in self.zones if name in zone.sums]
        return f"({self.record_sql}) and ({self._by_zone(texts)})" if texts else self.record_sql

    @property
    def record_columns(self) -> frozenset[str]:
        """Columns of the record that decide whether it counts, or are added up."""
        conditions = [zone.record.columns for zone in self.zones if zone.record is not None]
        conditions += [part.columns for zone in self.zones for part in zone.sums.values()]
        return frozenset(total.of for total in self.rule.totals.values() if total.of).union(*conditions)

    @property
    def columns(self) -> frozenset[str]:
        """Every declared column the rule reads, for its condition or as evidence."""
        parts = [part for zone in self.zones for part in (zone.condition, *zone.measures.values())]
        plain = {name for name in self.rule.evidence if name not in self.rule.measures}
        return frozenset(plain.union(*(part.columns for part in parts)))

    def evidence_sql(self, name: str) -> str:
        """The SQL of an evidence column or measure."""
        if name not in self.rule.measures:
            return name
        return f"({self._by_zone([zone.measures[name].sql for zone in self.zones])})"

    def _by_zone(self, texts: Sequence[str]) -> str:
        """One text per zone as one expression that chooses by where the household lives."""
        *smaller, whole = zip(self.zones, texts, strict=True)
        if not smaller:
            return whole[1]
        branches = " ".join(f"when {inside(zone.region)} then ({text})" for zone, text in smaller)
        return f"case {branches} else ({whole[1]}) end"


@lru_cache(maxsize=512)  # all rules on all days their values change, and some days more
def bind(rule: Rule, *, region: str, on: dt.date) -> BoundRule:
    """Give the parameters the values in force in `region` on a day, and check every expression.

    Remembered: a rule's file does not change while the program runs, and every closing of a case
    binds its rule again. Raises BadExpression, ParameterNotInForce.
    """
    regions = {region} | {
        setting.region
        for parameter in rule.parameters.values()
        for setting in parameter.settings
        if setting.region.startswith(region) and setting.holds(setting.region, on)
    }
    zones = []
    for code in sorted(regions, key=lambda item: (-len(item), item)):
        values = {name: _in_force(rule, name, code, on) for name in rule.parameters}
        if rule.asks_the_day:
            values[AS_OF] = on
        measures = {name: _measure(rule, name, values) for name in rule.measures}
        record = _record(rule, "record", rule.record, values) if rule.record else None
        sums = {
            name: _record(rule, f"totals.{name}.where", total.where, values)
            for name, total in rule.totals.items()
            if total.where
        }
        zones.append(Zone(code, values, _condition(rule, measures, values), measures, record, sums))
    return BoundRule(rule, region, on, tuple(zones))


def _in_force(rule: Rule, name: str, region: str, on: dt.date) -> Value | tuple[Value, ...]:
    """The value of the smallest area around `region`; of two that hold, the later one."""
    holding = [setting for setting in rule.parameters[name].settings if setting.holds(region, on)]
    if not holding:
        raise ParameterNotInForce(rule=rule.id, parameter=name, region=region, on=on)
    return max(holding, key=lambda setting: (len(setting.region), setting.valid_from)).value


def _record(rule: Rule, key: str, text: str, values: Values) -> Checked:
    """A condition over the columns of a record alone."""
    types = {name: column.type for name, column in rule.base.of(Origin.RECORD).items()}
    try:
        return check_condition(text, types, values)
    except ExpressionRefused as refusal:
        raise _bad(rule, key, refusal) from None


def _measure(rule: Rule, name: str, values: Values) -> Checked:
    try:
        return check(rule.measures[name].text, rule.vocabulary.types, values)
    except ExpressionRefused as refusal:
        raise _bad(rule, f"measures.{name}.is", refusal) from None


def _condition(rule: Rule, measures: Mapping[str, Checked], values: Values) -> Checked:
    """The rule's condition with its measures written out."""
    types: dict[str, Type] = rule.vocabulary.types | {name: measure.type for name, measure in measures.items()}
    try:
        checked = check_condition(rule.when, types, values)
    except ExpressionRefused as refusal:
        raise _bad(rule, "when", refusal) from None

    def written_out(node: exp.Expr) -> exp.Expr:
        if type(node) is exp.Column and node.name in measures:
            return exp.Paren(this=measures[node.name].tree.copy())
        return node

    tree = checked.tree.transform(written_out)
    columns = frozenset(column.name for column in tree.find_all(exp.Column))
    return Checked(tree, checked.type, columns, checked.parameters)


def _bad(rule: Rule, key: str, refusal: ExpressionRefused) -> BadExpression:
    return BadExpression(
        file=rule.file,
        key=key,
        reason=refusal.code,
        problem=refusal.sentences("en")[0],
        hint=refusal.sentences("en")[1],
    )


def inside(region: str, column: str = "village_code") -> str:
    """Whether a village lies in `region`; the code is digits, as reading the file made sure."""
    above = next_code(region)
    upper = f" and {column} < '{above}'" if above else ""
    return f"{column} >= '{region}'{upper}"
