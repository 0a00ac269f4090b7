-- Who is told when batches end. One that is limited to a batch goes with it.
CREATE TABLE webhooks (
    id         uuid PRIMARY KEY,
    url        text COLLATE "C" NOT NULL,
    -- Messages are signed with it, so it is kept as it is.
    secret     text COLLATE "C" NOT NULL,
    batch      uuid REFERENCES batches (id) ON DELETE CASCADE,
    created_at bigint NOT NULL
);

CREATE INDEX webhooks_by_batch ON webhooks (batch);

-- The outbox and the log of it: a row is written in the transaction that ends a batch.
CREATE TABLE deliveries (
    id          uuid PRIMARY KEY,
    webhook     uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event       uuid NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    batch       uuid,
    -- JSON, sent and signed as it stands here.
    body        text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL DEFAULT 'pending',
    -- Rises with each claim: the fencing token.
    attempts    bigint NOT NULL DEFAULT 0,
    -- Claims since it was queued or a person asked for it again, and when that was.
    tries       bigint NOT NULL DEFAULT 0,
    asked_at    bigint NOT NULL,
    created_at  bigint NOT NULL,
    run_at      bigint NOT NULL,
    lease_until bigint,
    answer      bigint,
    error       text COLLATE "C"
);

CREATE INDEX deliveries_due ON deliveries (run_at) WHERE state = 'pending';
CREATE INDEX deliveries_running ON deliveries (lease_until) WHERE state = 'processing';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook, id);
CREATE INDEX deliveries_by_age ON deliveries (created_at);

-- With the time from which a job is ready, so that the queue can be measured without reading every job.
DROP INDEX jobs_ready;
CREATE INDEX jobs_ready ON jobs (stage, batch, weight DESC, id, run_at) WHERE state = 'pending' AND crashes = 0;
-- What failed after its worker had vanished.
CREATE INDEX jobs_dead ON jobs (stage) WHERE state = 'failed' AND crashes > 0;

-- The trace (W3C Trace Context) of the request that made a batch: what is done for it is logged under the same.
ALTER TABLE batches ADD COLUMN trace text COLLATE "C";

-- Tokens of rate limits that all workers share: how many are left, and as of when.
CREATE TABLE buckets (
    name   text COLLATE "C" PRIMARY KEY,
    tokens double precision NOT NULL,
    at     bigint NOT NULL
);
