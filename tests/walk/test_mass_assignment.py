"""Every column of every table, posted to every route that writes: only the declared fields change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.walk.forms import FORMS, Form, Scene
from tests.walk.site import views

MARK = "zq9assigned"  # stands in no table
ROUNDS = 3  # two with values that other rows have, one with values nobody has
DONE = (200, 302)
LONGEST = 80  # a plausible value is short
Row = tuple[Any, ...]


def methods_of(view: Any) -> set[str]:
    """The methods a route takes, as it says itself when asked with one that nobody uses."""
    request = RequestFactory().generic("BREW", "/")
    answer = view.__wrapped__(request)  # behind its door
    assert answer.status_code == 405
    return set(answer["Allow"].split(", "))


def writing_routes() -> set[str]:
    return {name for name, view in views().items() if "POST" in methods_of(view)}


def test_every_route_says_which_methods_it_takes():
    assert len(writing_routes()) > 25


def test_every_writing_route_has_a_form():
    assert writing_routes() - {form.route for form in FORMS} == set(), "add them to tests/walk/forms/"
    assert {form.route for form in FORMS} - writing_routes() == set(), "forms of routes that do not write"


# What stands in the database.


def columns() -> dict[str, list[str]]:
    """Every table with its columns, as the database itself tells them."""
    with connection.cursor() as cursor:
        names = sorted(connection.introspection.table_names(cursor))
        return {
            name: [it.name for it in connection.introspection.get_table_description(cursor, name)] for name in names
        }


@dataclass(frozen=True, slots=True)
class Stand:
    """Every row of every table by its primary key; a session as what it holds. `read` is as the database gave it."""

    rows: dict[str, dict[Any, Row]]
    read: dict[str, list[Row]]


def stand(tables: Mapping[str, list[str]], before: Stand | None = None) -> Stand:
    """What the database holds now; of tables that are as they were before, the same rows again."""
    now = Stand({}, {})
    with connection.cursor() as cursor:
        for table, names in tables.items():
            listed = ", ".join(f'"{name}"' for name in names)
            cursor.execute(f'SELECT {listed} FROM "{table}"')
            now.read[table] = cursor.fetchall()
            if before is not None and now.read[table] == before.read[table]:
                now.rows[table] = before.rows[table]
                continue
            key = connection.introspection.get_primary_key_column(cursor, table)
            at = names.index(key) if key in names else 0
            rows = (tuple(_plain(value) for value in row) for row in now.read[table])
            now.rows[table] = {row[at]: _opened(row, names) if table == "django_session" else row for row in rows}
    return now


def _opened(row: Row, names: list[str]) -> Row:
    kept = names.index("session_data")
    return (*row[:kept], repr(sorted(SessionStore().decode(row[kept]).items())), *row[kept + 1 :])


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else repr(value) if isinstance(value, (dict, list)) else value


@dataclass(frozen=True, slots=True)
class Difference:
    """What one request changed: rows that were there, rows that are new, rows that are gone."""

    changed: dict[tuple[str, Any], dict[str, Any]]
    added: dict[str, list[dict[str, Any]]]
    gone: dict[str, int]


def difference(tables: Mapping[str, list[str]], before: Stand, after: Stand) -> Difference:
    changed, added, gone = {}, {}, {}
    for table, names in tables.items():
        old, new = before.rows[table], after.rows[table]
        if old is new or old == new:
            continue
        for key in old.keys() & new.keys():
            values = {name: b for name, a, b in zip(names, old[key], new[key], strict=True) if a != b}
            if values:
                changed[table, key] = values
        fresh = [dict(zip(names, new[key], strict=True)) for key in sorted(new.keys() - old.keys(), key=str)]
        if fresh:
            added[table] = sorted(fresh, key=lambda row: str(row.get("id", "")).rjust(30))
        if missing := len(old.keys() - new.keys()):
            gone[table] = missing
    return Difference(changed, added, gone)


def undeclared(form: Form, found: Difference) -> Iterator[str]:
    """Changes that the form does not declare."""
    for (table, key), values in found.changed.items():
        if more := values.keys() - form.changes.get(table, set()):
            yield f"{table} {key}: {sorted(more)}"
    yield from (f"rows in {table}" for table in found.added.keys() - form.adds)
    yield from (f"rows gone from {table}" for table in found.gone.keys() - form.removes)


def unlike(plain: Difference, again: Difference, found: Difference) -> Iterator[str]:
    """Where more fields had another effect than the form alone. What differs from time to time, differs there too."""
    if found.changed.keys() != plain.changed.keys():
        yield f"other rows changed: {sorted(map(str, found.changed.keys() ^ plain.changed.keys()))}"
    for row, values in found.changed.items():
        yield from _unlike(str(row), plain.changed.get(row, {}), again.changed.get(row, {}), values)
    if {table: len(rows) for table, rows in found.added.items()} != {t: len(rows) for t, rows in plain.added.items()}:
        yield f"other rows added: {sorted(found.added)} {sorted(plain.added)}"
        return
    for table, rows in found.added.items():
        for first, second, row in zip(plain.added[table], again.added[table], rows, strict=True):
            yield from _unlike(f"new in {table}", first, second, row)
    if found.gone != plain.gone:
        yield f"rows gone: {found.gone}, not {plain.gone}"


def _unlike(where: str, first: dict[str, Any], second: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    for name in first.keys() | found.keys():
        random_anyway = first.get(name) != second.get(name)
        if not random_anyway and found.get(name) != first.get(name):
            yield f"{where}: {name} became {str(found.get(name))[:60]}, not {str(first.get(name))[:60]}"


def marked(found: Difference) -> Iterator[str]:
    """Where a value nobody has was written after all, in random columns too."""
    rows = [(table, values) for (table, _), values in found.changed.items()]
    rows += [(table, row) for table, added in found.added.items() for row in added]
    for table, row in rows:
        for name, value in row.items():
            if MARK in (value.decode(errors="replace") if isinstance(value, bytes) else str(value)):
                yield f"{table}.{name} holds what was posted"


# What is posted.


def values_of(tables: Mapping[str, list[str]], now: Stand) -> dict[tuple[str, str], list[str]]:
    """Values each column really has, as a form would send them: those another row of the table holds are plausible."""
    found: dict[tuple[str, str], list[str]] = {}
    for table, names in tables.items():
        some = list(now.rows[table].values())
        some = some[:: len(some) // 40 + 1]
        for at, name in enumerate(names):
            held = dict.fromkeys(str(row[at]) for row in some if row[at] is not None and not isinstance(row[at], bytes))
            found[table, name] = [value for value in held if 0 < len(value) <= LONGEST] or ["1"]
    return found


def extra(values: Mapping[tuple[str, str], list[str]], shapes: tuple[str, ...], number: int) -> dict[str, str]:
    """Every column under each name a form might give it, with a value for this round."""
    posted: dict[str, str] = {}
    by_column: dict[str, list[str]] = defaultdict(list)
    for (table, name), held in values.items():
        value = MARK if number == ROUNDS - 1 else held[(number + 1) % len(held)]
        by_column[name].append(value)
        posted[f"{table}.{name}"] = value
        posted[f"{table.partition('_')[2]}-{name}"] = value
    for name, held in by_column.items():
        value = held[number % len(held)]
        posted[name] = value
        if name.endswith("_id"):
            posted[name.removesuffix("_id")] = value
        posted.update((shape.format(column=name), value) for shape in shapes)
    return posted


def posted(client: Client, form: Form, scene: Scene, more: Mapping[str, str], data: Mapping[str, Any]) -> int:
    address = reverse(form.route, kwargs=dict(form.kwargs(scene)))
    sent = {**{name: value for name, value in more.items() if name not in data}, **data}
    for value in sent.values():
        if isinstance(value, SimpleUploadedFile):
            value.seek(0)
    return client.post(f"{address}?{form.query}", sent).status_code


@pytest.mark.one_database
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_only_the_declared_fields_change(world, form, assigned):
    scene, tables = Scene(world), columns()
    if form.prepare is not None:
        form.prepare(scene)
    client, data = form.client(scene), form.data(scene)
    before = stand(tables)
    values, shapes = values_of(tables, before), form.shapes(scene)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}

    def effect(more: Mapping[str, str]) -> tuple[int, Difference]:
        client.cookies.clear()
        client.cookies.load(cookies)
        with transaction.atomic():
            status = posted(client, form, scene, more, data)
            found = difference(tables, before, stand(tables, before))
            transaction.set_rollback(True)
        return status, found

    (status, plain), (_, again) = effect({}), effect({})
    assert status in DONE, f"{form} was refused: {status}"
    assert plain.changed or plain.added or plain.gone or not (form.changes or form.adds or form.removes)
    assert list(undeclared(form, plain)) == []
    wrong = []
    for number in range(ROUNDS):
        for under in ((), shapes) if shapes else ((),):
            status, found = effect(extra(values, under, number))
            if status in DONE or not under:
                problems = [*undeclared(form, found), *unlike(plain, again, found), *marked(found)]
            else:  # a form that says more than it may is refused as a whole
                problems = [f"refused, and yet {what} changed" for what in (found.changed, found.added) if what]
            assigned.told.update(forms=1, rows=sum(map(len, before.rows.values())), undeclared=len(problems))
            wrong += [f"round {number} ({status}): {problem}" for problem in problems]
    assigned.names.add(form.route)
    assigned.told["columns"] = sum(map(len, tables.values()))
    assert not wrong, "\n".join(wrong)
