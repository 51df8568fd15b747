"""Equal rows have equal digests on SQLite and on PostgreSQL."""

import datetime as dt
import uuid
from contextlib import closing
from decimal import Decimal

import pytest
from django.db import connection, connections, models
from django.db.backends.sqlite3.base import DatabaseWrapper

from wanjia.backup import places, postgres, sqlite, tables
from wanjia.kernel.clock import CHINA
from wanjia.scope.postgresql.ownership import as_owner


class Everything(models.Model):
    """A column of every kind there is; exists in this test only."""

    name = models.CharField(max_length=40, primary_key=True)
    truth = models.BooleanField()
    at = models.DateTimeField(null=True)
    day = models.DateField()
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    share = models.FloatField()
    facts = models.JSONField()
    secret = models.BinaryField()
    event = models.UUIDField()
    number = models.BigIntegerField(null=True)
    source = models.GenericIPAddressField()

    class Meta:
        app_label = "backup_test"
        db_table = "backup_everything"
        managed = False

    def __str__(self):
        return self.name


MORNING = dt.datetime(2020, 11, 16, 9, 0, tzinfo=CHINA)


def row(name, **changes):
    values = {
        "truth": True,
        "at": MORNING,
        "day": dt.date(2020, 11, 16),
        "amount": Decimal("3218.50"),
        "share": 0.1,
        "facts": {"b": [1, 2.0, 1e2, None, "户"], "a": {"truth": False}},
        "secret": bytes(range(256)),
        "event": uuid.UUID(int=2**127 + 12345),
        "number": -(2**40),
        "source": "127.0.0.1",
    }
    return Everything(name=name, **{**values, **changes})


# Named so that the order of a language differs from the order of bytes.
ROWS = [
    row("é"), row("a"), row("B"), row("户"), row("Ω", at=MORNING.replace(microsecond=250), truth=False),
    row("_", at=None, number=None, amount=Decimal("0.00"), share=3.0, facts=[]),
]  # fmt: skip
TABLE = tables.Table(
    "backup_everything",
    {
        "amount": "decimal", "at": "instant", "day": "day", "event": "uuid", "facts": "json", "name": "text",
        "number": "number", "secret": "bytes", "share": "real", "source": "address", "truth": "truth",
    },
    ("name",),
)  # fmt: skip


def fill(rows):
    with as_owner():
        with connection.schema_editor() as editor:
            editor.create_model(Everything)
        Everything._base_manager.bulk_create(rows)


@pytest.fixture
def second(tmp_path):
    """A SQLite file beside the database under test, filled in another order."""
    path, first = tmp_path / "second.sqlite3", connections["default"]
    described = {**first.settings_dict, "ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {}}
    connections["default"] = DatabaseWrapper(described, "default")
    try:
        fill(reversed(ROWS))
        connections["default"].close()
    finally:
        connections["default"] = first
    return path


@pytest.fixture
def here(transactional_db):
    fill(ROWS)
    yield
    with as_owner(), connection.schema_editor() as editor:
        editor.delete_model(Everything)


def read_here():
    if places.vendor() == "postgresql":
        with postgres.instant(postgres.parameters(places.database())) as instant:
            return tables.read(TABLE, instant)
    with closing(sqlite.Reader(places.database()["NAME"])) as reader:
        return tables.read(TABLE, reader)


@pytest.mark.django_db(transaction=True)
def test_equal_rows_have_equal_digests_on_both_databases(here, second):
    if places.vendor() == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    with closing(sqlite.Reader(second)) as reader:
        beside = tables.read(TABLE, reader)

    assert read_here() == beside
    assert beside.rows == len(ROWS)


def test_the_kinds_of_columns_are_those_of_the_fields():
    kinds = {field.column: tables._kind(field) for field in Everything._meta.concrete_fields}

    assert kinds == TABLE.columns


@pytest.mark.parametrize(
    "change",
    [
        {"truth": False}, {"at": MORNING + dt.timedelta(microseconds=1)}, {"day": dt.date(2020, 11, 17)},
        {"amount": Decimal("3218.51")}, {"share": 0.2}, {"facts": {}}, {"secret": b""}, {"event": uuid.UUID(int=1)},
        {"number": 0}, {"source": "127.0.0.2"}, {"number": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_single_changed_value_changes_the_digest(change):
    class Held:
        def __init__(self, one):
            self.one = one

        def rows(self, table):
            import json

            values = {name: getattr(self.one, name) for name in table.columns}
            yield [json.dumps(value) if name == "facts" else value for name, value in values.items()]

    assert tables.read(TABLE, Held(row("a"))).digest != tables.read(TABLE, Held(row("a", **change))).digest


def test_what_is_saved_is_every_table_of_the_program_but_the_sessions():
    known = {table.name for table in tables.known_tables()}

    assert {"registry_household", "log_opening", "log_outbox", "accounts_user", "django_migrations"} <= known
    assert "django_session" not in known
