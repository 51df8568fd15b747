"""A backup that cannot see every row, or lacks PostgreSQL's own programs, says so."""

import os
import uuid

import psycopg
import pytest

from tests.backup.installation import on_server, place
from wanjia.backup import postgres
from wanjia.backup.errors import RowsHidden, ToolFailed, ToolMissing
from wanjia.backup.tables import Table, read

SERVER = os.environ.get("WANJIA_DATABASE_URL", "")
needs_server = pytest.mark.skipif(not SERVER, reason="a PostgreSQL server is asked here")


def test_a_missing_or_older_program_is_named_with_the_package_that_brings_it():
    with pytest.raises(ToolMissing) as refused:
        postgres.require_tool("pg_dump", 99)

    assert "postgresql-client-99" in refused.value.sentences("en")[1]


def test_only_the_first_line_of_an_error_is_told():
    said = postgres._refusal("pg_restore", "pg_restore: error: COPY failed\nDETAIL: Key (name)=(somebody) exists\n")

    assert isinstance(said, ToolFailed)
    assert said.values["said"] == "pg_restore: error: COPY failed"


@pytest.fixture
def limited(tmp_path):
    """A database with a table of which a role sees only some rows, and how that role connects."""
    role = f"limited_{uuid.uuid4().hex[:8]}"
    on_server(SERVER, f"CREATE ROLE {role} LOGIN")
    try:
        with place(tmp_path / "unused") as where:
            with psycopg.connect(where.url, autocommit=True) as owner:
                owner.execute("CREATE TABLE household (id bigint PRIMARY KEY)")
                owner.execute("INSERT INTO household VALUES (1), (2)")
                owner.execute("ALTER TABLE household ENABLE ROW LEVEL SECURITY")
                owner.execute("CREATE POLICY first_only ON household USING (id = 1)")
                owner.execute(f"GRANT SELECT ON household TO {role}".encode())
            yield psycopg.conninfo.conninfo_to_dict(where.url) | {"user": role}
    finally:
        on_server(SERVER, f"DROP ROLE {role}")


@needs_server
def test_rows_hidden_by_row_level_security_are_refused_not_left_out(limited, tmp_path):
    table = Table("household", {"id": "number"}, ("id",))

    with postgres.instant(limited) as instant, pytest.raises(RowsHidden, match="household"):
        read(table, instant)
    with postgres.instant(limited) as instant, pytest.raises(RowsHidden, match="household"):
        instant.save(tmp_path / "dump")


@needs_server
def test_the_owner_sees_every_row_and_what_is_dumped_is_loaded_again(limited, tmp_path):
    owner = limited | {"user": psycopg.conninfo.conninfo_to_dict(SERVER)["user"]}
    table = Table("household", {"id": "number"}, ("id",))
    with postgres.instant(owner) as instant:
        saved = read(table, instant)
        instant.save(tmp_path / "dump")
        version = instant.version

    with place(tmp_path / "other") as other:
        connected = psycopg.conninfo.conninfo_to_dict(other.url)
        postgres.load(tmp_path / "dump", connected, version)
        with postgres.instant(connected) as instant:
            assert read(table, instant) == saved
    assert saved.rows == 2
