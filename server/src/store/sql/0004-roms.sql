-- SPDX-License-Identifier: Apache-2.0
-- ROMs as people deploy them, uploads that can be resumed, links for AT+USEROTA.

ALTER TABLE rom ADD COLUMN note TEXT NOT NULL DEFAULT '';          -- what changed, for people
ALTER TABLE rom ADD COLUMN is_withdrawn INTEGER NOT NULL DEFAULT 0; -- 1 = no module gets it any more
ALTER TABLE rom ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;    -- grows with each change

ALTER TABLE rom_file ADD COLUMN findings TEXT NOT NULL DEFAULT '[]'; -- JSON array: what the analyser said, row by row
ALTER TABLE upload ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';   -- the same

-- A file of which a part has arrived; its bytes are in the blob store's incoming folder under its id.
CREATE TABLE partial_upload (
    id         TEXT NOT NULL PRIMARY KEY,                -- 32 random lower-case hex digits
    product_id INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    version    TEXT NOT NULL,    -- of the ROM it is meant for
    name       TEXT NOT NULL,    -- of the file it is meant to be
    size_bytes INTEGER NOT NULL, -- announced
    created_ms INTEGER NOT NULL,
    touched_ms INTEGER NOT NULL  -- when the last part came
) STRICT;

-- A short URL of one file: /ota/<short>/<file>.
CREATE TABLE link (
    short      TEXT NOT NULL PRIMARY KEY, -- 1 to 32 of [A-Za-z0-9_-]
    product_id INTEGER NOT NULL,
    version    TEXT NOT NULL,
    name       TEXT NOT NULL,             -- of the file
    expires_ms INTEGER NOT NULL,          -- 0 = public for good
    created_by TEXT NOT NULL,             -- name of an account
    created_ms INTEGER NOT NULL,
    FOREIGN KEY (product_id, version, name) REFERENCES rom_file (product_id, version, name) ON DELETE CASCADE
) STRICT;
CREATE INDEX link_by_file ON link (product_id, version, name);

-- Which ROM was current when, for the way back.
CREATE TABLE current_history (
    id         INTEGER NOT NULL PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    version    TEXT NOT NULL,    -- empty = none
    chosen_by  TEXT NOT NULL,    -- name of an account
    chosen_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX current_history_by_product ON current_history (product_id, id);
