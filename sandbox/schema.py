"""The tables. Every query that a page of an answer needs has its index here."""

from __future__ import annotations

VERSION = 1  # raise it when a table changes shape: a folder of another version is refused, not guessed at

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- OAuth. Times are real, in seconds; secrets that we hand out are kept as hashes.
CREATE TABLE IF NOT EXISTS apps (
    provider TEXT PRIMARY KEY, client_id TEXT NOT NULL, client_secret TEXT NOT NULL, redirect_uris TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grants (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, client_id TEXT NOT NULL, account_id INTEGER NOT NULL,
    scopes TEXT NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, provider TEXT NOT NULL, client_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,
    account_id INTEGER NOT NULL, scopes TEXT NOT NULL, challenge TEXT, expires_at REAL NOT NULL, grant_id INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (
    hash TEXT PRIMARY KEY, grant_id INTEGER NOT NULL REFERENCES grants, kind TEXT NOT NULL,
    expires_at REAL, spent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_grant ON tokens (grant_id, kind);

-- The network. Times are business time, in milliseconds. `doc` is the record as the API answers it, kept ready.
CREATE TABLE IF NOT EXISTS accounts (
    id INTEGER PRIMARY KEY, handle TEXT NOT NULL, handle_key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, bio TEXT NOT NULL,
    location TEXT NOT NULL, website TEXT NOT NULL, brand INTEGER NOT NULL, followers INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS accounts_brand ON accounts (handle_key) WHERE brand = 1;
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL,
    in_reply_to INTEGER, quotes INTEGER, reposts INTEGER, lang TEXT NOT NULL,
    root INTEGER, reply_author INTEGER, doc TEXT, deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS posts_author ON posts (author_id, created_at, id) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS posts_root ON posts (root, created_at, id) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS posts_time ON posts (created_at, id) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS posts_parent ON posts (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE INDEX IF NOT EXISTS posts_quotes ON posts (quotes) WHERE quotes IS NOT NULL;
CREATE TABLE IF NOT EXISTS mentions (
    account_id INTEGER NOT NULL, created_at INTEGER NOT NULL, post_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, created_at, post_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mentions_post ON mentions (post_id);
-- Handles that posts name and nobody bears yet.
CREATE TABLE IF NOT EXISTS unknown_names (
    handle_key TEXT NOT NULL, post_id INTEGER NOT NULL, PRIMARY KEY (handle_key, post_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, sender_id INTEGER NOT NULL, recipient_id INTEGER NOT NULL, text TEXT NOT NULL,
    created_at INTEGER NOT NULL, doc TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS inboxes (
    account_id INTEGER NOT NULL, created_at INTEGER NOT NULL, message_id INTEGER NOT NULL, other_id INTEGER NOT NULL,
    PRIMARY KEY (account_id, created_at, message_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS inboxes_other ON inboxes (account_id, other_id, created_at);

-- The CRM. `records` is the truth; `search_index` follows it, at once or after the delay that was asked for.
CREATE TABLE IF NOT EXISTS owners (
    id INTEGER PRIMARY KEY, email TEXT NOT NULL, first_name TEXT NOT NULL, last_name TEXT NOT NULL, archived INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS records (
    type TEXT NOT NULL, id INTEGER NOT NULL, props TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    archived_at INTEGER, PRIMARY KEY (type, id)
);
CREATE INDEX IF NOT EXISTS records_updated ON records (type, updated_at, id);
CREATE TABLE IF NOT EXISTS search_index (
    type TEXT NOT NULL, id INTEGER NOT NULL, props TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    at INTEGER, owner TEXT, email TEXT, status TEXT, PRIMARY KEY (type, id)
);
CREATE INDEX IF NOT EXISTS search_updated ON search_index (type, updated_at, id);
CREATE INDEX IF NOT EXISTS search_created ON search_index (type, created_at, id);
CREATE INDEX IF NOT EXISTS search_at ON search_index (type, at, id) WHERE at IS NOT NULL;
CREATE INDEX IF NOT EXISTS search_email ON search_index (type, email) WHERE email IS NOT NULL;
CREATE INDEX IF NOT EXISTS search_status ON search_index (type, status) WHERE status IS NOT NULL;
CREATE TABLE IF NOT EXISTS unindexed (
    type TEXT NOT NULL, id INTEGER NOT NULL, due_at REAL NOT NULL, PRIMARY KEY (type, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unindexed_due ON unindexed (due_at);
CREATE TABLE IF NOT EXISTS unique_values (
    type TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (type, property, value)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unique_values_record ON unique_values (type, id);
CREATE TABLE IF NOT EXISTS properties (
    type TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL, field TEXT NOT NULL,
    description TEXT NOT NULL, group_name TEXT NOT NULL, is_unique INTEGER NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (type, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS associations (
    from_type TEXT NOT NULL, from_id INTEGER NOT NULL, to_type TEXT NOT NULL, to_id INTEGER NOT NULL, type_id INTEGER NOT NULL,
    PRIMARY KEY (from_type, from_id, to_type, to_id, type_id)
) WITHOUT ROWID;
"""
