"""Rows made ready before the transaction are the rows inserted in it, and nothing is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, VILLAGES, batch, family
from wanjia.reference.services import load_reference
from wanjia.registry.models import Household, HouseholdYear, Membership, NameToken, Person, PersonYear, Relocation
from wanjia.registry.services import load_registry
from wanjia.scope import ready

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (Household, Person, Membership, HouseholdYear, PersonYear, Relocation, NameToken)
SEALED = {"id_number", "phone", "bank_account"}  # sealed anew each time
GIVEN = {"id"}
_moved = ready._moved


@pytest.fixture
def places(monkeypatch):
    monkeypatch.setattr(ready, "MANY", 1)
    load_reference()
    factory.load_places()


def everything():
    home, people = family("H001", VILLAGES[0], longitude=107_123_456, one_child_family=True, cause_note="“无”,\n")
    other, others = family("H002", VILLAGES[1], phone=None, exit_year=None, poverty_status="0")
    home["cause_note"] = '写着 "引号", 逗号'
    others[1]["name"] = "𠮷·买买提"
    return batch(
        [home, other],
        people + others,
        household_years=[
            {"national_household_no": "H001", "year": 2019, "wage_income": 1_200_000, "water_safe": False},
            {"national_household_no": "H002", "year": 2020, "danger_grade": "C"},
        ],
        person_years=[{"national_person_no": "P0011", "year": 2020, "health": "01,03", "on_dibao": True}],
        relocations=[{"national_household_no": "H002"}],
    )


def stored(model):
    """The rows of a table with the kind of each value as the database keeps it."""
    names = [field.column for field in model._meta.concrete_fields if field.name not in GIVEN | SEALED]
    kind = "typeof({})" if connection.vendor == "sqlite" else "pg_typeof({})::text"
    columns = ", ".join(f'"{name}", {kind.format(f"""{chr(34)}{name}{chr(34)}""")}' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {columns} FROM "{model._meta.db_table}"')
        return sorted(cursor.fetchall(), key=str)


def cleared(model):
    rows = model.objects.visible_to(BUILDER).order_by("pk")
    return [(row.pk, *(value and value.clear() for name in sorted(SEALED) if (value := getattr(row, name, "")) != ""))
            for row in rows]  # fmt: skip


def left_behind():
    name = connection.settings_dict["NAME"]
    return list(Path(name).parent.glob(f"{Path(name).name}.ready-*")) if connection.vendor == "sqlite" else []


def test_rows_made_ready_are_stored_as_rows_inserted_one_by_one(places, monkeypatch):
    with transaction.atomic():
        load_registry(viewer=BUILDER, batch=everything(), year=2020)
        one_by_one = {model: stored(model) for model in TABLES}, cleared(Household), cleared(Person)
        transaction.set_rollback(True)
    assert not Household.objects.visible_to(BUILDER).exists()
    moved = []
    monkeypatch.setattr(
        ready, "_moved", lambda model, *names, **how: moved.append(model) or _moved(model, *names, **how)
    )

    load_registry(viewer=BUILDER, batch=everything(), year=2020)

    assert ({model: stored(model) for model in TABLES}, cleared(Household), cleared(Person)) == one_by_one
    assert moved == (list(TABLES) if connection.vendor == "sqlite" else []), "or both sides went the same way"
    assert left_behind() == []


def test_a_row_refused_leaves_the_old_state_and_no_file(places):
    load_registry(viewer=BUILDER, batch=everything(), year=2020)
    before = {model: stored(model) for model in TABLES}
    rows = {Relocation: {"household_no": [1, 1], "village_code": [VILLAGES[0]] * 2}}

    with pytest.raises(IntegrityError), ready.made_ready(rows) as insert, transaction.atomic():
        insert(Relocation)

    assert {model: stored(model) for model in TABLES} == before
    assert left_behind() == []
    home, people = family("H003", VILLAGES[0])  # the connection serves the next
    load_registry(viewer=BUILDER, batch=batch([home], people), year=2020)


def test_rows_known_are_passed_over_where_that_is_asked_for(places):
    rows = {NameToken: {"token": ["甲", "乙", "甲"], "name_match": ["大甲", "大乙", "大甲"]}}
    with ready.made_ready(rows) as insert, transaction.atomic():
        insert(NameToken, but_known=True)
    assert len(stored(NameToken)) == 2


def test_within_a_transaction_rows_are_inserted_as_ever(places):
    rows = {NameToken: {"token": ["甲"], "name_match": ["大甲"]}}
    with transaction.atomic(), ready.made_ready(rows) as insert:
        assert insert(NameToken) == 1


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL takes no file")
def test_what_a_dead_process_left_is_removed_a_day_later(places):
    name = Path(connection.settings_dict["NAME"])
    old, young = (name.parent / f"{name.name}.ready-{which}" for which in ("old", "young"))
    for path in (old, young):
        path.write_text("")
    os.utime(old, (young.stat().st_mtime - 90_000,) * 2)
    try:
        with ready.made_ready({NameToken: {"token": ["甲"], "name_match": ["大甲"]}}) as insert, transaction.atomic():
            insert(NameToken)
        assert left_behind() == [young]
    finally:
        young.unlink()
