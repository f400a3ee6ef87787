-- SPDX-License-Identifier: Apache-2.0
-- The first schema. Times are milliseconds since 1970 (UTC) and made by the server, as are ids:
-- nothing here relies on what one SQL engine does by itself.

CREATE TABLE product (
    id              INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ...; never used again
    name            TEXT NOT NULL UNIQUE,      -- 1 to 64 of [A-Za-z0-9._-]
    layout          TEXT NOT NULL,             -- name of a layout: esp32c3_default
    token           TEXT NOT NULL UNIQUE,      -- 40 lower-case hex digits, mode 0 (plain TCP)
    token_tls       TEXT NOT NULL UNIQUE,      -- 40 lower-case hex digits, mode 1 (TLS)
    current_version TEXT,                      -- version of the ROM recommended; NULL = none yet
    created_ms      INTEGER NOT NULL,          -- when it was added
    FOREIGN KEY (id, current_version) REFERENCES rom (product_id, version)
) STRICT;

CREATE TABLE rom (
    product_id INTEGER NOT NULL REFERENCES product (id), -- whose release it is
    version    TEXT NOT NULL,                            -- 1 to 64 of [A-Za-z0-9._-]
    corename   TEXT NOT NULL,                            -- name of the core firmware, for people
    life_cycle TEXT NOT NULL,                            -- a word: release, beta
    created_ms INTEGER NOT NULL,                         -- when it was deployed
    PRIMARY KEY (product_id, version)
) STRICT;

CREATE TABLE rom_file (
    product_id INTEGER NOT NULL, -- with version: the ROM it belongs to
    version    TEXT NOT NULL,    -- see product_id
    name       TEXT NOT NULL,    -- ota.bin, or <user partition>.bin
    sha256     TEXT NOT NULL,    -- 64 lower-case hex digits: the blob with its bytes
    size_bytes INTEGER NOT NULL, -- of the blob
    PRIMARY KEY (product_id, version, name),
    FOREIGN KEY (product_id, version) REFERENCES rom (product_id, version)
) STRICT;

CREATE TABLE upload (
    id         TEXT NOT NULL PRIMARY KEY,                -- 32 random lower-case hex digits
    product_id INTEGER NOT NULL REFERENCES product (id), -- whose layout it was vetted against
    version    TEXT NOT NULL,                            -- of the ROM it is meant for
    name       TEXT NOT NULL,                            -- of the file it is meant to be
    sha256     TEXT NOT NULL,                            -- 64 lower-case hex digits: its blob
    size_bytes INTEGER NOT NULL,                         -- of the blob
    created_ms INTEGER NOT NULL                          -- when it was complete; expires from here
) STRICT;

CREATE TABLE device (
    product_id        INTEGER NOT NULL REFERENCES product (id), -- what it is one unit of
    device            TEXT NOT NULL,    -- its Aloft-Device name; of a stock module its address
    token_prefix      TEXT NOT NULL,    -- first 6 digits of the token it showed last
    address           TEXT NOT NULL,    -- where it came from last, without port
    delivered_version TEXT NOT NULL,    -- last version whose bytes it acknowledged; empty = none
    proven_version    TEXT NOT NULL,    -- last version seen running after delivery; empty = none
    last_seen_ms      INTEGER NOT NULL, -- its last contact
    PRIMARY KEY (product_id, device)
) STRICT;

CREATE TABLE api_token (
    sha256     TEXT NOT NULL PRIMARY KEY, -- 64 lower-case hex digits: hash of the API token
    name       TEXT NOT NULL UNIQUE,      -- for people: admin
    created_ms INTEGER NOT NULL           -- when it was made
) STRICT;

-- To find out whether a blob is still needed.
CREATE INDEX rom_file_by_blob ON rom_file (sha256);
CREATE INDEX upload_by_blob ON upload (sha256);
