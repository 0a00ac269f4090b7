-- With the time from which a job is ready, so that the queue can be measured without reading every job.
DROP INDEX jobs_ready;
CREATE INDEX jobs_ready ON jobs (stage, batch, weight DESC, id, run_at) WHERE state = 'pending' AND crashes = 0;
-- What failed after its worker had vanished.
CREATE INDEX jobs_dead ON jobs (stage) WHERE state = 'failed' AND crashes > 0;

-- The trace (W3C Trace Context) of the request that made a batch: what is done for it is logged under the same.
ALTER TABLE batches ADD COLUMN trace TEXT;

-- Tokens of rate limits that all workers share: how many are left, and as of when.
CREATE TABLE buckets (
    name   TEXT PRIMARY KEY,
    tokens REAL NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
