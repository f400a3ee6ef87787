-- SPDX-License-Identifier: Apache-2.0
-- Who may do what, and what was done.

-- The last id given in each table that counts: none is ever used again.
CREATE TABLE id_sequence (
    name TEXT NOT NULL PRIMARY KEY, -- of the table
    last INTEGER NOT NULL
) STRICT;
INSERT INTO id_sequence SELECT 'product', coalesce(max(id), 0) FROM product;
INSERT INTO id_sequence SELECT 'api_token', count(*) FROM api_token;

-- One row for each fact about the server itself.
CREATE TABLE server_fact (
    name  TEXT NOT NULL PRIMARY KEY, -- setup_code_sha256
    value TEXT NOT NULL
) STRICT;

CREATE TABLE account (
    id            INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ...; never used again
    name          TEXT NOT NULL UNIQUE,         -- 1 to 64 of [A-Za-z0-9._-]
    password      TEXT NOT NULL,                -- argon2id, as libsodium writes it
    role          TEXT NOT NULL,                -- none, viewer, developer, operator, admin: for every product
    is_active     INTEGER NOT NULL,             -- 0 = may not sign in
    created_ms    INTEGER NOT NULL,
    signed_in_ms  INTEGER NOT NULL,             -- last time; 0 = never
    revision      INTEGER NOT NULL              -- grows with each change
) STRICT;

CREATE TABLE product_grant (
    account_id INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    role       TEXT NOT NULL, -- viewer, developer, operator, admin: for this product
    PRIMARY KEY (account_id, product_id)
) STRICT;

CREATE TABLE session (
    sha256       TEXT NOT NULL PRIMARY KEY, -- 64 lower-case hex digits: hash of the cookie
    account_id   INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    csrf         TEXT NOT NULL,             -- what a page of ours sends with each change
    address      TEXT NOT NULL,             -- where it was begun
    user_agent   TEXT NOT NULL,             -- shown characters, cut
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_account ON session (account_id);

CREATE TABLE invitation (
    id         INTEGER NOT NULL PRIMARY KEY,
    sha256     TEXT NOT NULL UNIQUE,  -- hash of its code
    role       TEXT NOT NULL,         -- the new account's
    product_id INTEGER REFERENCES product (id) ON DELETE CASCADE, -- NULL: role for every product
    note       TEXT NOT NULL,         -- for whom
    created_by TEXT NOT NULL,         -- name of an account
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

-- API tokens had no owner; those of earlier servers (admin.token) stay good until they are removed.
CREATE TABLE api_token_2 (
    id         INTEGER NOT NULL PRIMARY KEY,
    sha256     TEXT NOT NULL UNIQUE,  -- 64 lower-case hex digits: hash of the API token
    account_id INTEGER REFERENCES account (id) ON DELETE CASCADE, -- NULL: made by an earlier server
    name       TEXT NOT NULL,         -- for people: ci
    role       TEXT NOT NULL,         -- at most this, whatever its account may do
    product_id INTEGER REFERENCES product (id) ON DELETE CASCADE, -- only this one; NULL = all
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,      -- 0 = never
    used_ms    INTEGER NOT NULL       -- last time, to the minute; 0 = never
) STRICT;
INSERT INTO api_token_2 (id, sha256, account_id, name, role, product_id, created_ms, expires_ms, used_ms)
    SELECT (SELECT count(*) FROM api_token b WHERE b.sha256 <= a.sha256), sha256, NULL, name, 'admin', NULL, created_ms, 0, 0
    FROM api_token a;
DROP TABLE api_token;
ALTER TABLE api_token_2 RENAME TO api_token;

-- Append only; each row's hash covers the row before it.
CREATE TABLE audit (
    id        INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ... without a gap
    time_ms   INTEGER NOT NULL,
    actor     TEXT NOT NULL,  -- name of an account; `(server)`, `(local)` for the machine itself
    address   TEXT NOT NULL,  -- where it came from; empty = from the machine itself
    action    TEXT NOT NULL,  -- product.add
    product   TEXT NOT NULL,  -- its name; empty = none
    object    TEXT NOT NULL,  -- what was changed: the name of a device, a version, ...
    detail    TEXT NOT NULL,  -- a JSON object, without secrets
    hash      TEXT NOT NULL   -- SHA-256 over the row before and this one
) STRICT;
CREATE INDEX audit_by_product ON audit (product, id);
