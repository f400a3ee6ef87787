-- SPDX-License-Identifier: Apache-2.0
-- A database as the server of schema version 1 made it, with sample rows. Never change it.
BEGIN TRANSACTION;
CREATE TABLE api_token (
    sha256     TEXT NOT NULL PRIMARY KEY, -- 64 lower-case hex digits: hash of the API token
    name       TEXT NOT NULL UNIQUE,      -- for people: admin
    created_ms INTEGER NOT NULL           -- when it was made
) STRICT;
INSERT INTO "api_token" VALUES('8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918','admin',1795372800000);
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
INSERT INTO "device" VALUES(1,'7cdfa1b2c3d4','20cd47','192.0.2.7','v1.1.0','v1.1.0',1795372800030);
INSERT INTO "device" VALUES(1,'198.51.100.9','20cd47','198.51.100.9','v1.0.0','',1795372800031);
INSERT INTO "device" VALUES(2,'2001:db8::7','c98e85','2001:db8::7','','',1795372800032);
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
INSERT INTO "product" VALUES(1,'kettle','esp32c3_default','20cd4732ae60507a2e2e01ae3ca7a75cc3c0d5a4','d7eefcbfaa9e6ea084312dde236df446036a07d7','v1.1.0',1795372800001);
INSERT INTO "product" VALUES(2,'lamp','wrover-32','c98e85f249002f03068e2a61e1a1df5c0db035d6','ce0f869c6929df04ae3727f2633d49ef315a3414',NULL,1795372800002);
CREATE TABLE rom (
    product_id INTEGER NOT NULL REFERENCES product (id), -- whose release it is
    version    TEXT NOT NULL,                            -- 1 to 64 of [A-Za-z0-9._-]
    corename   TEXT NOT NULL,                            -- name of the core firmware, for people
    life_cycle TEXT NOT NULL,                            -- a word: release, beta
    created_ms INTEGER NOT NULL,                         -- when it was deployed
    PRIMARY KEY (product_id, version)
) STRICT;
INSERT INTO "rom" VALUES(1,'v1.0.0','ESP32C3-MINI-1','release',1795372800010);
INSERT INTO "rom" VALUES(1,'v1.1.0','ESP32C3-MINI-1','release',1795372800010);
INSERT INTO "rom" VALUES(2,'v2.0-beta','ESP32C3-MINI-1','beta',1795372800010);
CREATE TABLE rom_file (
    product_id INTEGER NOT NULL, -- with version: the ROM it belongs to
    version    TEXT NOT NULL,    -- see product_id
    name       TEXT NOT NULL,    -- ota.bin, or <user partition>.bin
    sha256     TEXT NOT NULL,    -- 64 lower-case hex digits: the blob with its bytes
    size_bytes INTEGER NOT NULL, -- of the blob
    PRIMARY KEY (product_id, version, name),
    FOREIGN KEY (product_id, version) REFERENCES rom (product_id, version)
) STRICT;
INSERT INTO "rom_file" VALUES(1,'v1.0.0','ota.bin','2485f4d55aae6c5b073114bc4c4b1907c0abae14166281beee7d93f76ebf41fc',1234567);
INSERT INTO "rom_file" VALUES(1,'v1.1.0','ota.bin','0351e58a8e1677f197d37d18444f1efc625c737269da566f74642fa91780cbc7',1234567);
INSERT INTO "rom_file" VALUES(2,'v2.0-beta','ota.bin','edf7313c42224cdacf82c0a7d43e3ebd3f1ff081337d6c280ed3cffe43cbeae7',1234567);
INSERT INTO "rom_file" VALUES(1,'v1.1.0','server_cert.bin','06298432e8066b29e2223bcc23aa9504b56ae508fabf3435508869b9c3190e22',8192);
CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY,name TEXT NOT NULL,applied_ms INTEGER NOT NULL) STRICT;
INSERT INTO "schema_version" VALUES(1,'0001-first',1795372800000);
CREATE TABLE upload (
    id         TEXT NOT NULL PRIMARY KEY,                -- 32 random lower-case hex digits
    product_id INTEGER NOT NULL REFERENCES product (id), -- whose layout it was vetted against
    version    TEXT NOT NULL,                            -- of the ROM it is meant for
    name       TEXT NOT NULL,                            -- of the file it is meant to be
    sha256     TEXT NOT NULL,                            -- 64 lower-case hex digits: its blob
    size_bytes INTEGER NOT NULL,                         -- of the blob
    created_ms INTEGER NOT NULL                          -- when it was complete; expires from here
) STRICT;
INSERT INTO "upload" VALUES('0bfe935e70c321c7ca3afc75ce0d0ca2',2,'v2.0','ota.bin','0351e58a8e1677f197d37d18444f1efc625c737269da566f74642fa91780cbc7',1234567,1795372800020);
CREATE INDEX rom_file_by_blob ON rom_file (sha256);
CREATE INDEX upload_by_blob ON upload (sha256);
COMMIT;
