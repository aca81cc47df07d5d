"""What seals the audit trail and keeps everybody from changing it, in PostgreSQL itself: whoever writes a row, however, it is
sealed as the transaction commits, and no statement of any role changes, drops or empties what is sealed.

Sealing is put off to the commit, so that a workspace's writers wait for each other for that moment alone, and so that the
lock they wait for is the last one that anybody takes: no two of them can wait in a circle. `service.store.trail` computes the
same hash to verify it.
"""

from __future__ import annotations

from alembic import op

from service.migrations.security import WORKSPACE

_TABLES = ("audit", "audit_heads")
# What the application may say of a row; the rest is for PostgreSQL to say.
_SAYS = "workspace_id, id, actor, action, subject, created_at"

TRAIL = (
    """
    CREATE FUNCTION audit_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path} AS $$
    DECLARE
        head audit_heads;
        stamp timestamptz;
        sealed bytea;
    BEGIN
        INSERT INTO audit_heads (workspace_id, number, hash) VALUES (NEW.workspace_id, 0, '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_heads WHERE workspace_id = NEW.workspace_id FOR UPDATE;
        stamp := clock_timestamp();  -- after the wait, so that instants come in the order of numbers
        sealed := sha256(convert_to(concat_ws(E'\\n', 'warmline audit 1', NEW.workspace_id, head.number + 1, NEW.id, NEW.actor,
            NEW.action, NEW.subject, to_char(stamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), encode(head.hash, 'hex')), 'UTF8'));
        UPDATE audit SET number = head.number + 1, previous = head.hash, hash = sealed, created_at = stamp
            WHERE workspace_id = NEW.workspace_id AND id = NEW.id;
        UPDATE audit_heads SET number = head.number + 1, hash = sealed WHERE workspace_id = NEW.workspace_id;
        RETURN NULL;
    END $$
    """,
    (
        "CREATE CONSTRAINT TRIGGER seal AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.number IS NULL)"
        " EXECUTE FUNCTION audit_seal()"
    ),
    # Nobody hangs it on a table of their own.
    "REVOKE EXECUTE ON FUNCTION audit_seal() FROM PUBLIC",
    """
    CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = {path} AS $$
    BEGIN
        -- With a workspace that is deleted goes its trail: its row is gone before those that refer to it.
        IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM workspaces WHERE id = OLD.workspace_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'The audit trail is kept as it was written' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    # A row is sealed once. The head moves on by one.
    (
        "CREATE TRIGGER keep_sealed BEFORE UPDATE ON audit FOR EACH ROW WHEN (OLD.number IS NOT NULL OR (OLD.workspace_id, OLD.id, OLD.actor,"
        " OLD.action, OLD.subject) IS DISTINCT FROM (NEW.workspace_id, NEW.id, NEW.actor, NEW.action, NEW.subject)) EXECUTE FUNCTION audit_keep()"
    ),
    (
        "CREATE TRIGGER keep_forward BEFORE UPDATE ON audit_heads FOR EACH ROW WHEN (NEW.workspace_id <> OLD.workspace_id"
        " OR NEW.number <> OLD.number + 1) EXECUTE FUNCTION audit_keep()"
    ),
    *(f"CREATE TRIGGER keep BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_keep()" for table in _TABLES),
    *(f"CREATE TRIGGER keep_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION audit_keep()" for table in _TABLES),
)
TRAIL_NO_MORE = ("DROP FUNCTION audit_seal() CASCADE", "DROP FUNCTION audit_keep() CASCADE")


def seal() -> None:
    """Row-level security as for any tenant's table; the application adds rows and reads them, and that is all."""
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY workspace ON {table} USING (workspace_id = {WORKSPACE}) WITH CHECK (workspace_id = {WORKSPACE})"
        )
        op.execute(f"GRANT SELECT ON {table} TO warmline_app")
    op.execute(f"GRANT INSERT ({_SAYS}) ON audit TO warmline_app")
    # Temporary tables come last: whoever made one of these names would otherwise have the functions write there.
    path = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema()) || ', pg_temp'").scalar()
    for statement in TRAIL:
        op.execute(statement.replace("{path}", str(path)))
