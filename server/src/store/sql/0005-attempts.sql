-- SPDX-License-Identifier: Apache-2.0
-- What modules tried, and how it ended.

CREATE TABLE attempt (
    id            INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ... in the order they began
    product_id    INTEGER NOT NULL, -- 0 = its token is nobody's
    device_id     INTEGER NOT NULL, -- 0 = unknown
    device        TEXT NOT NULL,    -- its name, as in device
    token_prefix  TEXT NOT NULL,
    address       TEXT NOT NULL,    -- without port
    user_agent    TEXT NOT NULL,
    tls_version   INTEGER NOT NULL, -- 771 = 1.2, 772 = 1.3; 0 = plain
    asked_version TEXT NOT NULL,    -- empty = it asked for the current one
    version       TEXT NOT NULL,    -- what it was told or sent
    file          TEXT NOT NULL,    -- empty = it never came for one
    state         TEXT NOT NULL,    -- running, delivered, proven, failed, abandoned
    cause         TEXT NOT NULL,    -- a word of the table of causes; empty = none
    sentence      TEXT NOT NULL,    -- why, for people
    total_bytes   INTEGER NOT NULL,
    sent_bytes    INTEGER NOT NULL,
    acked_bytes   INTEGER NOT NULL,
    closed_by     TEXT NOT NULL,    -- module, server; empty = not known
    n_contacts    INTEGER NOT NULL,
    started_ms    INTEGER NOT NULL,
    ended_ms      INTEGER NOT NULL, -- its last contact so far
    duration_ms   INTEGER NOT NULL  -- of the transfer
) STRICT;
CREATE INDEX attempt_by_product ON attempt (product_id, id);
CREATE INDEX attempt_by_device ON attempt (device_id, id);
CREATE INDEX attempt_by_state ON attempt (state, ended_ms);
CREATE INDEX attempt_by_end ON attempt (ended_ms);
