"""What a database holds, seen by this program's code whatever the state of its tables; one line of JSON.

python -m tests.upgrade.held SPEC     the first time: describes the columns there are, and reads them
python -m tests.upgrade.held SPEC     later: reads the same columns of the same rows
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import django

django.setup()

with suppress(ModuleNotFoundError):  # the older program knows of no reach
    from tests.common.operator import reach_everywhere

    reach_everywhere()

from django.db import connection  # noqa: E402

from wanjia.backup import places, postgres, sqlite, tables  # noqa: E402
from wanjia.backup.tables import Table  # noqa: E402


class First:
    """The first rows of a table; what was added since comes behind them."""

    def __init__(self, reader: tables.Reader, most: int) -> None:
        self.reader, self.most = reader, most

    def rows(self, table: Table) -> Iterator[Sequence[Any]]:
        return islice(self.reader.rows(table), self.most)


def columns() -> dict[str, list[str]]:
    """Every table with its columns and their types, as the database describes them."""
    with connection.cursor() as cursor:
        return {
            name: sorted(f"{column.name} {column.type_code} {column.null_ok}"
                         for column in connection.introspection.get_table_description(cursor, name))
            for name in sorted(connection.introspection.table_names(cursor))
        }  # fmt: skip


def described(there: dict[str, list[str]]) -> list[Table]:
    """The known tables with those of their columns that are there already."""
    found = []
    for table in tables.known_tables():
        present = {line.partition(" ")[0] for line in there.get(table.name, [])}
        kept = {name: kind for name, kind in table.columns.items() if name in present}
        if kept:
            found.append(replace(table, columns=kept))
    return found


def main() -> None:
    spec, there = Path(sys.argv[1]), columns()
    if spec.exists():
        before = [Table(**{**table, "order": tuple(table["order"])}) for table in json.loads(spec.read_text())]
    else:
        before = described(there)
    connection.close()
    if places.vendor() == "postgresql":
        reader: Any = postgres.Instant(postgres.parameters(places.database()))
    else:
        saved = sqlite.Instant(Path(places.database()["NAME"]))
        copy = spec.with_suffix(".sqlite3")
        copy.unlink(missing_ok=True)
        saved.save(copy)
        saved.close()
        reader = sqlite.Reader(copy)
    most = {table.name: table.rows for table in before} if spec.exists() else {}
    read = [tables.read(table, First(reader, most.get(table.name, sys.maxsize))) for table in before]
    reader.close()
    if not spec.exists():
        spec.write_text(json.dumps([asdict(table) for table in read]))
    sys.stdout.write(
        json.dumps({"columns": there, "tables": {table.name: [table.rows, table.digest] for table in read}})
    )


main()
