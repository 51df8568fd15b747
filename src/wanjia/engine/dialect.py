"""The rule language: one expression over declared columns, checked, typed and rendered again.

The analyst's text never reaches an engine. It is measured before it is parsed, every node's
exact class must stand in the table below (`type(node) in …`, never `isinstance`, because the
parser subclasses its functions widely), every value has a known type, and only SQL rendered from
the checked tree is handed on. Only what was shown to give equal results on DuckDB and on Spark
is allowed; `docs/reference/dialect.md` lists it and a test holds the two together.

Types are strict because engines convert differently: `'7.5'` becomes 8 in one and NULL or an
error in another. Text meets text, dates meet dates, whole numbers meet whole numbers.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from wanjia.engine.errors import (
    ForbiddenConstruct,
    NotAnExpression,
    TooLong,
    TypesDiffer,
    UnknownColumn,
    UnknownParameter,
)
from wanjia.lake.columns import Columns, Type

MAX_CHARACTERS = 2_000
MAX_PARENTHESES = 60  # three thousand nested ones exhaust the parser's stack
MAX_NODES = 200
_SHOWN = 80  # characters of the analyst's text repeated in a refusal
MAX_LIST = 1_000  # values of one list parameter; they are bound, not parsed

_NUMBERS = frozenset({Type.INTEGER, Type.BIGINT})
_BIGINT = range(-(2**63), 2**63)

Value = bool | int | str | dt.date
Parameter = Value | Sequence[Value]


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression that passed: its type, its SQL, and the columns and parameters it reads."""

    tree: exp.Expr
    type: Type
    columns: frozenset[str]
    parameters: frozenset[str]

    @property
    def sql(self) -> str:
        """DuckDB SQL with the parameters' values written in as literals of their types."""
        return self.tree.sql(dialect="duckdb")

    @property
    def spark_sql(self) -> str:
        """The same expression for Spark."""
        return self.tree.sql(dialect="spark")

    @property
    def conjuncts(self) -> tuple[Checked, ...]:
        """The parts joined by AND at the top: when the whole is true, each of them is."""
        parts = tuple(_conjuncts(self.tree))
        return tuple(
            Checked(part, Type.BOOLEAN, frozenset(c.name for c in part.find_all(exp.Column)), self.parameters)
            for part in parts
        )


def check(text: str, columns: Columns, parameters: Mapping[str, Parameter] | None = None) -> Checked:
    """Accept an expression over `columns` with `:name` parameters, or refuse it with the cure.

    Raises a subclass of ExpressionRefused.
    """
    tree = _parse(text)
    checker = _Checker(columns, parameters or {})
    kind = checker.type_of(tree)
    checker.bind(tree)
    bound = checker.bound
    used = frozenset(column.name for column in bound.find_all(exp.Column))
    return Checked(bound, kind, used, frozenset(checker.used))


def check_condition(text: str, columns: Columns, parameters: Mapping[str, Parameter] | None = None) -> Checked:
    """As `check`, and the expression must be a condition (true or false)."""
    checked = check(text, columns, parameters)
    if checked.type is not Type.BOOLEAN:
        raise TypesDiffer(part=_shown(text), wanted=Type.BOOLEAN.value, found=checked.type.value)
    return checked


def literal(value: Value) -> exp.Expr:
    """A typed literal for a bound value; the only way a value gets into SQL."""
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int):
        if value not in _BIGINT:
            raise TypesDiffer(part=str(value), wanted=Type.BIGINT.value, found="integer beyond 64 bits")
        number = exp.Literal.number(abs(value))
        return exp.Neg(this=number) if value < 0 else number
    if isinstance(value, dt.date):
        return exp.cast(exp.Literal.string(value.isoformat()), exp.DataType.Type.DATE)
    if "\x00" in value:
        raise TypesDiffer(part="text", wanted="text without NUL", found="NUL")
    return exp.Literal.string(value)


def type_of_value(value: Value) -> Type:
    """The column type a Python value belongs to."""
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, int):
        return Type.BIGINT
    return Type.DATE if isinstance(value, dt.date) else Type.TEXT


def nearest(name: str, known: Sequence[str]) -> str:
    """Up to three known names most like `name`, for the refusal's sentence."""
    close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.4)
    return ", ".join(close or sorted(known)[:3]) or "–"


def _parse(text: str) -> exp.Expr:
    if len(text) > MAX_CHARACTERS:
        raise TooLong(size=len(text), limit=MAX_CHARACTERS, unit="characters")
    if text.count("(") > MAX_PARENTHESES:
        raise TooLong(size=text.count("("), limit=MAX_PARENTHESES, unit="parentheses")
    # A comment is dropped by the parser: two readers of one rule would read different texts.
    if re.search(r"--|/\*|\*/|#|;|\x00|\\", text):
        raise NotAnExpression(problem="comments, semicolons and backslashes have no place in it")
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError, ValueError) as error:
        raise NotAnExpression(problem=_shown(str(error).split("\n")[0])) from None
    if len(trees) != 1 or trees[0] is None:
        raise NotAnExpression(problem="it is empty" if not text.strip() else "it is not one expression")
    tree = trees[0]
    nodes = sum(1 for _ in tree.walk())
    if nodes > MAX_NODES:
        raise TooLong(size=nodes, limit=MAX_NODES, unit="nodes")
    return tree


def _conjuncts(tree: exp.Expr) -> Iterator[exp.Expr]:
    if type(tree) is exp.And:
        yield from _conjuncts(tree.this)
        yield from _conjuncts(tree.expression)
    elif type(tree) is exp.Paren:
        yield from _conjuncts(tree.this)
    else:
        yield tree


class _Checker:
    """One walk over the tree: every node is known by its exact class, and has a type."""

    def __init__(self, columns: Columns, parameters: Mapping[str, Parameter]) -> None:
        self.columns = columns
        self.parameters = parameters
        self.used: set[str] = set()
        self.bound: exp.Expr = exp.Null()

    # -- entry -----------------------------------------------------------------------------

    def type_of(self, node: Any) -> Type:
        """The node's type; refuses a class or an argument the table does not know."""
        rule = ALLOWED.get(type(node))
        if rule is None:
            raise ForbiddenConstruct(construct=_name(node), part=_shown(node))
        given = {name for name, value in node.args.items() if value not in (None, [], False, "")}
        surplus = given - rule.arguments
        if surplus:
            raise ForbiddenConstruct(construct=f"{_name(node)} {min(surplus)}", part=_shown(node))
        return rule.judge(self, node)

    def bind(self, tree: exp.Expr) -> None:
        """Replace every placeholder by literals of the parameter's values."""

        def bound(node: exp.Expr) -> exp.Expr:
            if type(node) is exp.Placeholder:
                value = self.parameters[node.name]
                return literal(value) if isinstance(value, (bool, int, str, dt.date)) else node
            if type(node) is exp.In and node.args.get("field") is not None:
                values = self._list(node.args["field"])
                return exp.In(this=node.this.transform(bound), expressions=[literal(value) for value in values])
            return node

        self.bound = tree.copy().transform(bound)

    # -- wanted types ----------------------------------------------------------------------

    def want(self, node: exp.Expr, wanted: Type) -> Type:
        found = self.type_of(node)
        if not _alike(found, wanted):
            raise TypesDiffer(part=_shown(node), wanted=wanted.value, found=found.value)
        return found

    def same(self, *nodes: exp.Expr) -> Type:
        """All nodes share a type; the wider of the two for numbers."""
        first = self.type_of(nodes[0])
        kinds = [first, *(self.want(node, first) for node in nodes[1:])]
        return Type.BIGINT if Type.BIGINT in kinds else first

    # -- leaves ----------------------------------------------------------------------------

    def column(self, node: exp.Column) -> Type:
        identifier = node.this
        if type(identifier) is not exp.Identifier:
            raise ForbiddenConstruct(construct=_name(identifier), part=_shown(node))
        if identifier.args.get("quoted"):
            raise ForbiddenConstruct(construct="quoted name", part=_shown(node))
        if identifier.name not in self.columns:
            raise UnknownColumn(column=_shown(identifier.name), nearest=nearest(identifier.name, list(self.columns)))
        return self.columns[identifier.name]

    def literal(self, node: exp.Literal) -> Type:
        if node.is_string:
            return Type.TEXT
        if not re.fullmatch(r"[0-9]{1,18}", node.name):
            raise ForbiddenConstruct(construct="number that is not whole", part=_shown(node))
        return Type.BIGINT

    def date(self, node: exp.Cast) -> Type:
        """`date '2015-12-31'` is the only cast."""
        text, wanted = node.this, node.args["to"]
        if type(text) is not exp.Literal or not text.is_string or not wanted.is_type(exp.DataType.Type.DATE):
            raise ForbiddenConstruct(construct="CAST", part=_shown(node))
        try:
            valid = dt.date.fromisoformat(text.name).isoformat() == text.name
        except ValueError:
            valid = False
        if not valid:
            raise TypesDiffer(part=_shown(text), wanted="a day such as 2015-12-31", found=_shown(text.name))
        return Type.DATE

    def placeholder(self, node: exp.Placeholder) -> Type:
        value = self._value(node)
        if not isinstance(value, (bool, int, str, dt.date)):
            raise TypesDiffer(part=f":{node.name}", wanted="a single value", found="a list")
        return type_of_value(value)

    def _value(self, node: exp.Placeholder) -> Parameter:
        if node.name not in self.parameters:
            raise UnknownParameter(parameter=_shown(node.name), nearest=nearest(node.name, list(self.parameters)))
        self.used.add(node.name)
        return self.parameters[node.name]

    def _list(self, node: exp.Expr) -> Sequence[Value]:
        if type(node) is not exp.Placeholder:
            raise ForbiddenConstruct(construct="IN", part=_shown(node))
        value = self._value(node)
        if isinstance(value, (bool, int, str, dt.date)):
            raise TypesDiffer(part=f":{node.name}", wanted="a list", found="a single value")
        if not 0 < len(value) <= MAX_LIST:
            raise TooLong(size=len(value), limit=MAX_LIST, unit="values, at least 1")
        return value

    # -- conditions ------------------------------------------------------------------------

    def junction(self, node: exp.Binary) -> Type:
        self.want(node.this, Type.BOOLEAN)
        return self.want(node.expression, Type.BOOLEAN)

    def negation(self, node: exp.Not) -> Type:
        return self.want(node.this, Type.BOOLEAN)

    def comparison(self, node: exp.Binary) -> Type:
        self.same(node.this, node.expression)
        return Type.BOOLEAN

    def between(self, node: exp.Between) -> Type:
        self.same(node.this, node.args["low"], node.args["high"])
        return Type.BOOLEAN

    def is_(self, node: exp.Is) -> Type:
        """IS [NOT] NULL of anything, IS [NOT] TRUE or FALSE of a condition."""
        self.type_of(node.this)
        other = node.expression
        if type(other) is exp.Boolean:
            self.want(node.this, Type.BOOLEAN)
        elif type(other) is not exp.Null:
            raise ForbiddenConstruct(construct="IS", part=_shown(node))
        return Type.BOOLEAN

    def in_(self, node: exp.In) -> Type:
        found = self.type_of(node.this)
        if node.args.get("field") is not None:
            for value in self._list(node.args["field"]):
                if not _alike(type_of_value(value), found):
                    raise TypesDiffer(part=_shown(node), wanted=found.value, found=type_of_value(value).value)
        for item in node.expressions:
            self.want(item, found)
        return Type.BOOLEAN

    def text_test(self, node: exp.Expr) -> Type:
        self.want(node.this, Type.TEXT)
        self.want(node.expression, Type.TEXT)
        return Type.BOOLEAN

    # -- values ----------------------------------------------------------------------------

    def paren(self, node: exp.Paren) -> Type:
        return self.type_of(node.this)

    def arithmetic(self, node: exp.Binary) -> Type:
        self.want(node.this, Type.BIGINT)
        self.want(node.expression, Type.BIGINT)
        return Type.BIGINT

    def minus(self, node: exp.Expr) -> Type:
        return self.want(node.this, Type.BIGINT)

    def part_of_date(self, node: exp.Expr) -> Type:
        self.want(node.this, Type.DATE)
        return Type.BIGINT

    def days_between(self, node: exp.DateDiff) -> Type:
        unit = node.args.get("unit")
        if unit is None or unit.name.upper() != "DAY":  # months mean boundaries here, full months there
            raise ForbiddenConstruct(construct="DATE_DIFF with a unit other than 'day'", part=_shown(node))
        self.want(node.this, Type.DATE)
        self.want(node.expression, Type.DATE)
        return Type.BIGINT

    def length(self, node: exp.Expr) -> Type:
        self.want(node.this, Type.TEXT)
        return Type.BIGINT

    def coalesce(self, node: exp.Coalesce) -> Type:
        return self.same(node.this, *node.expressions)

    def case(self, node: exp.Case) -> Type:
        """CASE WHEN … with an ELSE, all branches of one type: an untyped NULL differs by engine."""
        if node.args.get("default") is None:
            raise ForbiddenConstruct(construct="CASE without ELSE", part=_shown(node))
        branches = node.args["ifs"]
        for branch in branches:
            self.want(branch.this, Type.BOOLEAN)
        return self.same(*(branch.args["true"] for branch in branches), node.args["default"])


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What the dialect knows of one class of node: its judge, the arguments it may carry, its spelling."""

    judge: Callable[[_Checker, Any], Type]
    arguments: frozenset[str]
    spelling: str


def _allow(judge: Callable[[_Checker, Any], Type], spelling: str, *arguments: str) -> _Allowed:
    return _Allowed(judge, frozenset(arguments or ("this", "expression")), spelling)


def _boolean(_: _Checker, __: exp.Boolean) -> Type:
    return Type.BOOLEAN


# The whole language. A class that is missing here is refused, whatever it inherits from.
ALLOWED: Mapping[type, _Allowed] = {
    exp.Column: _allow(_Checker.column, "column", "this"),
    exp.Literal: _allow(_Checker.literal, "'text', 123", "this", "is_string"),
    exp.Boolean: _allow(_boolean, "true, false", "this"),
    exp.Cast: _allow(_Checker.date, "date '2015-12-31'", "this", "to", "_type"),
    exp.Placeholder: _allow(_Checker.placeholder, ":parameter", "this"),
    exp.Paren: _allow(_Checker.paren, "( )", "this"),
    exp.And: _allow(_Checker.junction, "and"),
    exp.Or: _allow(_Checker.junction, "or"),
    exp.Not: _allow(_Checker.negation, "not", "this"),
    exp.EQ: _allow(_Checker.comparison, "="),
    exp.NEQ: _allow(_Checker.comparison, "<>"),
    exp.GT: _allow(_Checker.comparison, ">"),
    exp.GTE: _allow(_Checker.comparison, ">="),
    exp.LT: _allow(_Checker.comparison, "<"),
    exp.LTE: _allow(_Checker.comparison, "<="),
    exp.Between: _allow(_Checker.between, "between … and …", "this", "low", "high"),
    exp.Is: _allow(_Checker.is_, "is null, is true, is false"),
    exp.In: _allow(_Checker.in_, "in (…), in :list", "this", "expressions", "field"),
    exp.StartsWith: _allow(_Checker.text_test, "starts_with(text, text)"),
    exp.EndsWith: _allow(_Checker.text_test, "ends_with(text, text)"),
    exp.Contains: _allow(_Checker.text_test, "contains(text, text)"),
    exp.Add: _allow(_Checker.arithmetic, "+"),
    exp.Sub: _allow(_Checker.arithmetic, "-"),
    exp.Mul: _allow(_Checker.arithmetic, "*"),
    exp.Neg: _allow(_Checker.minus, "-number", "this"),
    exp.Abs: _allow(_Checker.minus, "abs(number)", "this"),
    exp.Year: _allow(_Checker.part_of_date, "year(date)", "this"),
    exp.Month: _allow(_Checker.part_of_date, "month(date)", "this"),
    exp.Day: _allow(_Checker.part_of_date, "day(date)", "this"),
    exp.DateDiff: _allow(
        _Checker.days_between, "date_diff('day', date, date)", "this", "expression", "unit", "date_part_boundary"
    ),
    exp.Length: _allow(_Checker.length, "length(text)", "this"),
    exp.Coalesce: _allow(_Checker.coalesce, "coalesce(a, b, …)", "this", "expressions"),
    exp.Case: _allow(_Checker.case, "case when … then … else … end", "ifs", "default"),
}


def _alike(found: Type, wanted: Type) -> bool:
    return found is wanted or (found in _NUMBERS and wanted in _NUMBERS)


def _name(node: Any) -> str:
    if type(node) is exp.Anonymous:
        return f"function {_shown(node.name)}"
    return type(node).__name__.upper()


def _shown(part: Any) -> str:
    """A short, printable form of a piece of the analyst's own text."""
    text = part.sql(dialect="duckdb") if isinstance(part, exp.Expr) else str(part)
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= _SHOWN else printable[: _SHOWN - 1] + "…"
