-- SPDX-License-Identifier: Apache-2.0
-- Events for those who listen, webhooks, and requests that may come twice.

CREATE TABLE event (
    id         INTEGER NOT NULL PRIMARY KEY, -- 1, 2, ...
    time_ms    INTEGER NOT NULL,
    kind       TEXT NOT NULL,    -- rom.deployed
    product_id INTEGER NOT NULL, -- 0 = of none
    body       TEXT NOT NULL     -- a JSON object
) STRICT;
CREATE INDEX event_by_time ON event (time_ms);

CREATE TABLE webhook (
    id         INTEGER NOT NULL PRIMARY KEY,
    product_id INTEGER REFERENCES product (id) ON DELETE CASCADE, -- NULL = of all
    url        TEXT NOT NULL,
    secret     TEXT NOT NULL,    -- key of the signatures; shown once
    kinds      TEXT NOT NULL,    -- kinds of events, a space between; `*` = all
    allow_http  INTEGER NOT NULL, -- 1 = to others than this machine, in the clear
    is_active  INTEGER NOT NULL,
    last_event INTEGER NOT NULL, -- id of the last event it has a delivery for
    created_by TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    revision   INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_delivery (
    id         INTEGER NOT NULL PRIMARY KEY,
    webhook_id INTEGER NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    event_id   INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT NOT NULL,    -- what is sent
    state      TEXT NOT NULL,    -- waiting, done, failed
    n_tries    INTEGER NOT NULL,
    next_ms    INTEGER NOT NULL, -- when to try again
    status     INTEGER NOT NULL, -- HTTP status of the last try; 0 = none came
    error      TEXT NOT NULL,    -- of the last try; empty = none
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER NOT NULL  -- 0 = not yet
) STRICT;
CREATE INDEX webhook_delivery_by_state ON webhook_delivery (state, next_ms);
CREATE INDEX webhook_delivery_by_due ON webhook_delivery (webhook_id, state, next_ms);
CREATE INDEX webhook_delivery_by_time ON webhook_delivery (created_ms);
CREATE INDEX webhook_delivery_by_webhook ON webhook_delivery (webhook_id, id);

CREATE TABLE idempotency (
    actor      TEXT NOT NULL,    -- who: `account 7`, `token 3`
    key        TEXT NOT NULL,    -- their Idempotency-Key
    request    TEXT NOT NULL,    -- SHA-256 of method, target and body
    status     INTEGER NOT NULL, -- what was answered
    body       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX idempotency_by_time ON idempotency (created_ms);
