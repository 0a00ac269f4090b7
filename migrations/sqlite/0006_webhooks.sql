-- Who is told when batches end. One that is limited to a batch goes with it.
CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    url        TEXT NOT NULL,
    -- Messages are signed with it, so it is kept as it is.
    secret     TEXT NOT NULL,
    batch      TEXT REFERENCES batches (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_by_batch ON webhooks (batch);

-- The outbox and the log of it: a row is written in the transaction that ends a batch.
CREATE TABLE deliveries (
    id          TEXT PRIMARY KEY,
    webhook     TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    batch       TEXT,
    body        TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'pending',
    -- Rises with each claim: the fencing token.
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Claims since it was queued or a person asked for it again, and when that was.
    tries       INTEGER NOT NULL DEFAULT 0,
    asked_at    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    run_at      INTEGER NOT NULL,
    lease_until INTEGER,
    answer      INTEGER,
    error       TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (run_at) WHERE state = 'pending';
CREATE INDEX deliveries_running ON deliveries (lease_until) WHERE state = 'processing';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_by_age ON deliveries (created_at);
