"""What takes the keys of a contact or author away when its row goes, and the counts of a CRM with its connection, by whatever cascade:
in place of foreign keys, which would be looked up for each of ten keys as a contact is stored."""

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
    """
    CREATE FUNCTION uncount_connection() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM key_counts c WHERE c.workspace_id = OLD.workspace_id AND c.connection_id = OLD.id;
        RETURN NULL;
    END $$
    """,
    # After the contacts have gone, by the name: their own trigger counts them down.
    "CREATE TRIGGER uncount AFTER DELETE ON connections FOR EACH ROW EXECUTE FUNCTION uncount_connection()",
)
UNFILE_NO_MORE = (
    "DROP FUNCTION unfile_contact() CASCADE",
    "DROP FUNCTION unfile_author() CASCADE",
    "DROP FUNCTION uncount_connection() CASCADE",
)
