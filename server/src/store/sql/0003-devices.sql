-- SPDX-License-Identifier: Apache-2.0
-- Products and devices with all that people want to know of them.

ALTER TABLE product ADD COLUMN serial TEXT NOT NULL DEFAULT '';       -- the company's own number for it
ALTER TABLE product ADD COLUMN description TEXT NOT NULL DEFAULT '';  -- free text
ALTER TABLE product ADD COLUMN status TEXT NOT NULL DEFAULT 'developing'; -- developing, released
ALTER TABLE product ADD COLUMN server_host TEXT NOT NULL DEFAULT '';  -- what its modules call; empty = the server's public address
ALTER TABLE product ADD COLUMN project_name TEXT NOT NULL DEFAULT ''; -- expected in its images; empty = esp-at
ALTER TABLE product ADD COLUMN downgrade TEXT NOT NULL DEFAULT 'warn'; -- an upload below the current version: warn, refuse
ALTER TABLE product ADD COLUMN signing_keys TEXT NOT NULL DEFAULT ''; -- SHA-256 of trusted keys, hex, a space between; empty = signature not asked for
ALTER TABLE product ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;   -- grows with each change

CREATE TABLE device_2 (
    id                INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ...; never used again
    product_id        INTEGER NOT NULL REFERENCES product (id), -- what it is one unit of
    device            TEXT NOT NULL,    -- its name: given by people, its Aloft-Device, or its address
    origin            TEXT NOT NULL,    -- registered (by people), reported (Aloft-Device), address (showed only the product's token)
    serial            TEXT NOT NULL,    -- printed on the unit; empty = none
    note              TEXT NOT NULL,    -- free text
    token             TEXT UNIQUE,      -- its own, mode 0; NULL = it shows the product's
    token_tls         TEXT UNIQUE,      -- its own, mode 1
    token_prefix      TEXT NOT NULL,    -- first 6 digits of the token it showed last; never seen: of its own one, or empty
    address           TEXT NOT NULL,    -- where it came from last, without port; empty = never seen
    running_version   TEXT NOT NULL,    -- as it says itself; empty = it does not
    boot              TEXT NOT NULL,    -- its Aloft-Boot: power, restart, upgrade, rollback; empty = it does not say
    delivered_version TEXT NOT NULL,    -- last version whose bytes it acknowledged; empty = none
    delivered_ms      INTEGER NOT NULL, -- when; 0 = never
    proven_version    TEXT NOT NULL,    -- last version seen running after delivery; empty = none
    proven_ms         INTEGER NOT NULL, -- when; 0 = never
    n_attempts        INTEGER NOT NULL,
    created_ms        INTEGER NOT NULL,
    first_seen_ms     INTEGER NOT NULL, -- its first contact; 0 = never
    last_seen_ms      INTEGER NOT NULL, -- its last contact; 0 = never
    revision          INTEGER NOT NULL, -- grows with each change by people
    UNIQUE (product_id, device)
) STRICT;
INSERT INTO device_2
    SELECT row_number() OVER (ORDER BY product_id, device),
        product_id, device, CASE WHEN device = address THEN 'address' ELSE 'reported' END, '', '', NULL, NULL,
        token_prefix, address, '', '', delivered_version, CASE WHEN delivered_version = '' THEN 0 ELSE last_seen_ms END,
        proven_version, CASE WHEN proven_version = '' THEN 0 ELSE last_seen_ms END, 0, last_seen_ms, last_seen_ms, last_seen_ms, 1
    FROM device;
INSERT INTO id_sequence SELECT 'device', count(*) FROM device;
DROP TABLE device;
ALTER TABLE device_2 RENAME TO device;
-- A search goes through one of these in its own order, so that a page costs what it shows.
CREATE INDEX device_by_serial ON device (product_id, serial, id);
CREATE INDEX device_by_token_prefix ON device (product_id, token_prefix, id);
CREATE INDEX device_by_address ON device (product_id, address, id);
CREATE INDEX device_by_seen ON device (product_id, origin, last_seen_ms);

-- Tokens that were replaced and are still taken for a while.
CREATE TABLE old_token (
    mode       INTEGER NOT NULL, -- 0 plain, 1 TLS
    token      TEXT NOT NULL,    -- 40 lower-case hex digits
    product_id INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    device_id  INTEGER REFERENCES device (id) ON DELETE CASCADE, -- NULL: was the product's
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (mode, token)
) STRICT;
CREATE INDEX old_token_by_owner ON old_token (product_id, device_id);
CREATE INDEX old_token_by_device ON old_token (device_id); -- for the end of a device
CREATE INDEX old_token_by_end ON old_token (expires_ms);
