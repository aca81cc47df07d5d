"""What takes the keys of a contact or author away when its row goes, by whatever cascade: in place of a foreign key, which
would be looked up for each of its ten keys as they are stored."""

from __future__ import annotations

UNFILE = (
    """
    CREATE FUNCTION unfile_contact() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM contact_keys k WHERE k.workspace_id = OLD.workspace_id AND k.key = ANY(OLD.filed)
            AND k.connection_id = OLD.connection_id AND k.contact_id = OLD.id;
        UPDATE key_counts c SET contacts = c.contacts - 1 WHERE c.workspace_id = OLD.workspace_id AND c.key = ANY(OLD.filed)
            AND c.connection_id = OLD.connection_id;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER unfile AFTER DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION unfile_contact()",
    """
    CREATE FUNCTION unfile_author() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM author_keys k WHERE k.workspace_id = OLD.workspace_id AND k.key = ANY(OLD.filed) AND k.author_id = OLD.id;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER unfile AFTER DELETE ON authors FOR EACH ROW EXECUTE FUNCTION unfile_author()",
)
UNFILE_NO_MORE = (
    "DROP FUNCTION unfile_contact() CASCADE",
    "DROP FUNCTION unfile_author() CASCADE",
)
