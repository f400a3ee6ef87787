-- SPDX-License-Identifier: Apache-2.0
-- What modules tried, and how it ended.

CREATE TABLE attempt (
    id              INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ... in the order they began
    product_id      INTEGER NOT NULL, -- 0 = its token is nobody's
    device_id       INTEGER NOT NULL, -- 0 = unknown
    device          TEXT NOT NULL,    -- its name, as in device
    token_device_id INTEGER NOT NULL, -- the device whose own token it showed; 0 = it showed the product's, or none
    reported_device TEXT NOT NULL,    -- its Aloft-Device; empty = it sent none
    token_prefix    TEXT NOT NULL,    -- first 6 digits of the token it showed; empty = none
    address         TEXT NOT NULL,    -- without port
    user_agent      TEXT NOT NULL,
    tls_version     INTEGER NOT NULL, -- 771 = 1.2, 772 = 1.3; 0 = plain
    running_version TEXT NOT NULL,    -- as it said itself; empty = it did not
    boot            TEXT NOT NULL,    -- its Aloft-Boot; empty = it did not say
    asked_version   TEXT NOT NULL,    -- empty = it asked for the current one
    version         TEXT NOT NULL,    -- what it was told or sent
    file            TEXT NOT NULL,    -- empty = it never came for one
    state           TEXT NOT NULL,    -- running, delivered, proven, failed, abandoned
    cause           TEXT NOT NULL,    -- a word of the table of causes; empty = none
    sentence        TEXT NOT NULL,    -- why, for people
    bytes_total     INTEGER NOT NULL, -- of the file, or of the part asked for
    bytes_sent      INTEGER NOT NULL, -- of these, handed to the network
    bytes_acked     INTEGER NOT NULL, -- of these, acknowledged by the module
    closed_by       TEXT NOT NULL,    -- module, server; empty = not known
    n_contacts      INTEGER NOT NULL,
    started_ms      INTEGER NOT NULL,
    ended_ms        INTEGER NOT NULL, -- its last contact so far
    duration_ms     INTEGER NOT NULL  -- of the transfer
) STRICT;
CREATE INDEX attempt_by_product ON attempt (product_id, id);
CREATE INDEX attempt_by_device ON attempt (product_id, device, id);
CREATE INDEX attempt_by_state ON attempt (state, ended_ms);
CREATE INDEX attempt_by_end ON attempt (ended_ms);
