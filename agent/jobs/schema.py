"""The journal's tables and how older files become newer ones. No queries live here.

A migration is never edited once released: a new one is added behind it.
"""

import sqlite3

_FIRST = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE token (
    digest TEXT PRIMARY KEY,
    store_id TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('control', 'read')),
    name TEXT NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE fence (
    identity TEXT PRIMARY KEY,
    fence INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE item (
    position INTEGER PRIMARY KEY,
    item_id TEXT NOT NULL UNIQUE,
    run_id TEXT NOT NULL,
    task TEXT NOT NULL,
    account_id TEXT NOT NULL,
    identity TEXT NOT NULL,
    driver TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    state TEXT NOT NULL,
    not_before REAL,
    interruptions INTEGER NOT NULL DEFAULT 0,
    step TEXT NOT NULL DEFAULT '',
    error TEXT,
    result TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE INDEX item_account ON item (account_id);
CREATE INDEX item_unfinished ON item (state)
    WHERE state NOT IN ('done', 'failed', 'cancelled', 'skipped');
CREATE UNIQUE INDEX item_one_running ON item (account_id) WHERE state = 'running';

-- Written once per attempt, apart from the row whose state changes: that one stays small.
CREATE TABLE item_spec (
    item_id TEXT PRIMARY KEY REFERENCES item (item_id),
    spec TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE item_access (
    item_id TEXT PRIMARY KEY REFERENCES item (item_id),
    sealed BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE action (
    action_id TEXT PRIMARY KEY,
    item_id TEXT NOT NULL REFERENCES item (item_id),
    account_id TEXT NOT NULL,
    identity TEXT NOT NULL,
    operation TEXT NOT NULL,
    content_key TEXT NOT NULL,
    placement TEXT NOT NULL,
    state TEXT NOT NULL,
    driver TEXT NOT NULL,
    resume TEXT NOT NULL DEFAULT '{}',
    baseline TEXT NOT NULL DEFAULT '[]',
    remote_id TEXT NOT NULL DEFAULT '',
    remote_url TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX action_once ON action (identity, operation, content_key, placement);
CREATE UNIQUE INDEX action_remote ON action (identity, remote_id) WHERE remote_id <> '';
CREATE INDEX action_item ON action (item_id);
CREATE INDEX action_undecided ON action (identity)
    WHERE state IN ('sending', 'in_doubt', 'reconciling');

CREATE TABLE session (
    account_id TEXT NOT NULL,
    driver TEXT NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (account_id, driver)
) WITHOUT ROWID;

-- AUTOINCREMENT: without it the numbers would start again once every row is acknowledged.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    body TEXT,
    sealed_body BLOB
);

CREATE TABLE runner (
    pid INTEGER PRIMARY KEY,
    started REAL NOT NULL,
    kind TEXT NOT NULL
);
"""

_SECOND = """
-- What the account's list showed before the post was sent, as JSON; NULL where it was not read.
ALTER TABLE action DROP COLUMN baseline;
ALTER TABLE action ADD COLUMN baseline TEXT;
CREATE INDEX action_settled ON action (identity, updated_at) WHERE remote_id <> '';

-- 1 once a cancel was acknowledged that could not take effect at once.
ALTER TABLE item ADD COLUMN cancel_asked INTEGER NOT NULL DEFAULT 0;
"""

_THIRD = """
-- A user name's row says which account it belongs to, once that is known; '' until then.
ALTER TABLE fence ADD COLUMN same_as TEXT NOT NULL DEFAULT '';
CREATE INDEX fence_name ON fence (same_as) WHERE same_as <> '';

-- Remote ids of the posts that a person was shown when last asked about this one, as JSON.
ALTER TABLE action ADD COLUMN shown_ids TEXT NOT NULL DEFAULT '[]';
-- The person's word that was taken last: the same one again changes nothing.
ALTER TABLE action ADD COLUMN word_id TEXT NOT NULL DEFAULT '';
"""

_FOURTH = """
-- The post that a person says it is, as JSON, while nobody has checked that; NULL otherwise.
ALTER TABLE action ADD COLUMN named TEXT;
"""

_FIFTH = """
-- Until when the platform may show the effect of a request whose end nobody knows, seconds since
-- 1970; 0 where nothing was in doubt. Older doubts count with the longest bound of their release.
ALTER TABLE action ADD COLUMN unseen_until REAL NOT NULL DEFAULT 0;
UPDATE action SET unseen_until = updated_at + 180
    WHERE state IN ('sending', 'in_doubt', 'reconciling', 'unresolved');
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH)
"""One script per schema version, in order; version n is reached by the nth."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file to this release's version, each step in a transaction of its own.

    Raises sqlite3.DatabaseError where the file is from a newer release.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(
            f"the journal has version {version}, this release knows {len(MIGRATIONS)}"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
        )
