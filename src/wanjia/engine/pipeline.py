"""A computation as named steps, each answering one question; the engine joins them into one statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wanjia.lake.columns import Columns

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_READ = re.compile(r"\{\{|\}\}|\{([a-z0-9_]+)\}")


def braced(sql: str) -> str:
    """SQL to be put into a step's text as it is, though a literal in it holds braces."""
    return sql.replace("{", "{{").replace("}", "}}")


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for SQL: {name!r}")


@dataclass(frozen=True, slots=True)
class Source:
    """Parquet files read as one table, of which the declared columns are visible and no other."""

    name: str
    paths: tuple[Path, ...]
    columns: Columns

    def __post_init__(self) -> None:
        _require_name(self.name)
        for column in self.columns:
            _require_name(column)
        if not self.paths:
            raise ValueError(f"the source {self.name} has no files")

    @property
    def sql(self) -> str:
        # the paths are bound by the runner; nothing a user wrote stands in this text
        columns = ", ".join(self.columns)
        return f"select {columns} from read_parquet(${self.binding})"  # noqa: S608 - names checked above

    @property
    def binding(self) -> str:
        return f"files_{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One question and the SQL that answers it from earlier steps and sources.

    In `sql`, `{name}` stands for something listed in `reads`; braces that are meant as such go
    through `braced`. `kept` asks the engine to compute the step once although several later
    steps read it.
    """

    name: str
    question: str
    sql: str
    reads: tuple[str, ...] = ()
    kept: bool = False

    def __post_init__(self) -> None:
        _require_name(self.name)

    def rendered(self) -> str:
        """The step's SQL with the tables it reads written in; every one of them must be used."""
        used = {match[1] for match in _READ.finditer(self.sql) if match[1]}
        if used != set(self.reads):
            raise ValueError(f"the step {self.name} declares reads {sorted(self.reads)} but uses {sorted(used)}")
        return _READ.sub(lambda match: match[1] or match[0][0], self.sql).strip()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Sources and steps in order; the last step is the answer."""

    sources: Sequence[Source]
    steps: Sequence[Step]

    def __post_init__(self) -> None:
        known = [source.name for source in self.sources]
        for step in self.steps:
            missing = set(step.reads) - set(known)
            if missing:
                raise ValueError(f"the step {step.name} reads {sorted(missing)}, which no earlier step makes")
            known.append(step.name)
        if len(set(known)) != len(known):
            raise ValueError(f"a name is used twice among {known}")

    def statement(self, until: str = "") -> str:
        """One SQL statement for the whole pipeline, or for its steps up to `until`."""
        last = until or self.steps[-1].name
        parts = [f"{source.name} as (\n  {source.sql}\n)" for source in self.sources]
        for step in self._up_to(last):
            how = "as materialized" if step.kept else "as"
            parts.append(f"-- {_one_line(step.question)}\n{step.name} {how} (\n  {step.rendered()}\n)")
        return "with " + ",\n".join(parts) + f"\nselect * from {last}"

    @property
    def bindings(self) -> Mapping[str, list[str]]:
        """The values bound when the statement runs: the files of each source."""
        return {source.binding: [str(path) for path in source.paths] for source in self.sources}

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for source in self.sources for path in source.paths)

    def _up_to(self, last: str) -> Iterator[Step]:
        for step in self.steps:
            yield step
            if step.name == last:
                return
        raise KeyError(last)


def _one_line(text: str) -> str:
    return " ".join(text.split())
