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
    cut        TEXT NOT NULL,    -- app: keep only the app of a factory image; empty = the file as it is
    size_bytes INTEGER NOT NULL, -- announced
    offset_bytes INTEGER NOT NULL, -- so many of them are on the disk
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

-- Which ROM was current when, and the way back: a choice leads back to the one before it, and going
-- back is a choice that leads on to where the one gone back to leads.
CREATE TABLE current_history (
    id         INTEGER NOT NULL PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    version    TEXT NOT NULL,    -- empty = none
    chosen_by  TEXT NOT NULL,    -- name of an account
    chosen_ms  INTEGER NOT NULL,
    before_id  INTEGER REFERENCES current_history (id) ON DELETE CASCADE -- NULL = none was chosen before
) STRICT;
CREATE INDEX current_history_by_product ON current_history (product_id, id);
INSERT INTO current_history (id, product_id, version, chosen_by, chosen_ms, before_id)
    SELECT id, id, current_version, '(server)', created_ms, NULL FROM product WHERE current_version IS NOT NULL;
INSERT INTO id_sequence SELECT 'current_history', coalesce(max(id), 0) FROM current_history;
