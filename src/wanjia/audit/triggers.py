"""What the database itself refuses on the audit's tables, on both databases.

A second line of defence: whoever owns the database can drop a trigger. The witnesses of the log
are the first line.

- `log_outbox`: a row is never changed. (The sequencer deletes it once it is in the log.)
- `log_opening`: a row is never deleted, and changes only by an erasure, which sets salt and
  payload to NULL and leaves all else.
"""

from __future__ import annotations

# Columns an erasure may not touch; salt, payload and erased_at are the ones it sets, and the
# subject may go with them.
_KEPT = ("id", "event_id", "at", "kind", "act", "area", "actor_id", "actor_system")

_SQLITE_KEPT = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _KEPT)
_POSTGRES_KEPT = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _KEPT)

NO_DELETE_ON_SQLITE = """
CREATE TRIGGER log_opening_no_delete BEFORE DELETE ON log_opening
BEGIN SELECT RAISE(ABORT, 'log_opening is append-only'); END
"""

SQLITE = (
    """
CREATE TRIGGER log_outbox_no_update BEFORE UPDATE ON log_outbox
BEGIN SELECT RAISE(ABORT, 'log_outbox is append-only'); END
""",
    f"""
CREATE TRIGGER log_opening_only_erasure BEFORE UPDATE ON log_opening
WHEN NEW.payload IS NOT NULL OR NEW.salt IS NOT NULL OR {_SQLITE_KEPT}
BEGIN SELECT RAISE(ABORT, 'log_opening is append-only'); END
""",
    NO_DELETE_ON_SQLITE,
)

POSTGRESQL = (
    """
CREATE FUNCTION log_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
""",
    """
CREATE TRIGGER log_outbox_no_update BEFORE UPDATE ON log_outbox
FOR EACH ROW EXECUTE FUNCTION log_append_only()
""",
    f"""
CREATE TRIGGER log_opening_only_erasure BEFORE UPDATE ON log_opening FOR EACH ROW
WHEN (NEW.payload IS NOT NULL OR NEW.salt IS NOT NULL OR {_POSTGRES_KEPT})
EXECUTE FUNCTION log_append_only()
""",
    """
CREATE TRIGGER log_opening_no_delete BEFORE DELETE ON log_opening
FOR EACH ROW EXECUTE FUNCTION log_append_only()
""",
)

STATEMENTS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
