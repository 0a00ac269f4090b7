-- How a batch runs: what a failure does to it, who goes first, and how long it ran before it was last started.
ALTER TABLE batches ADD COLUMN on_error TEXT NOT NULL DEFAULT 'continue';
ALTER TABLE batches ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN started_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN ran_ms INTEGER NOT NULL DEFAULT 0;
-- When a job of it was last claimed: among equals the one that waited longest is served.
ALTER TABLE batches ADD COLUMN claimed_at INTEGER NOT NULL DEFAULT 0;

UPDATE batches SET started_at = created_at, ran_ms = coalesce(finished_at - created_at, 0);
CREATE INDEX batches_running ON batches (id) WHERE status IN ('pending', 'processing');

-- One row, raised by every writing transaction: the order of changes.
CREATE TABLE clock (value INTEGER NOT NULL) STRICT;
INSERT INTO clock (value) VALUES (1);
ALTER TABLE documents ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX documents_by_batch_version ON documents (batch, version, id);
-- The latest of a status; it serves what the one before did.
DROP INDEX documents_by_batch_status;
CREATE INDEX documents_by_batch_status ON documents (batch, status, version);
-- In the order of arrival, with all that the progress grid shows.
CREATE INDEX documents_by_batch_arrival ON documents (batch, id, status, stage);

-- Bytes of the document, or of its text: the heaviest jobs of a batch come first.
ALTER TABLE jobs ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;
-- Claims since a person last asked for it: what bounds its attempts.
ALTER TABLE jobs ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET tries = attempts;
UPDATE jobs SET weight = (SELECT bytes FROM documents d WHERE d.id = jobs.document) WHERE stage = 'parse' AND state = 'pending';
DROP INDEX jobs_ready;
ALTER TABLE jobs DROP COLUMN priority;
CREATE INDEX jobs_ready ON jobs (stage, batch, weight DESC, id) WHERE state = 'pending' AND crashes = 0;
CREATE INDEX jobs_suspect ON jobs (stage, run_at, id) WHERE state = 'pending' AND crashes > 0;

-- Attempts that did not succeed.
CREATE TABLE attempts (
    job      TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt  INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    failure  TEXT NOT NULL,
    PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

-- What ended well lately, by intervals of five seconds.
CREATE TABLE paces (
    batch    TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    stage    TEXT NOT NULL,
    interval INTEGER NOT NULL,
    jobs     INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (batch, stage, interval)
) STRICT, WITHOUT ROWID;

-- Processes that work on jobs, by their last sign of life.
CREATE TABLE workers (
    id               TEXT PRIMARY KEY,
    host             TEXT NOT NULL,
    stages           TEXT NOT NULL,
    cores            INTEGER NOT NULL,
    busy             REAL,
    recognition_full INTEGER NOT NULL,
    seen_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How many documents of a batch stand where, kept by the triggers below: pages ask for it all the time.
CREATE TABLE tallies (
    batch     TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    stage     TEXT NOT NULL,
    status    TEXT NOT NULL,
    documents INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    PRIMARY KEY (batch, stage, status)
) STRICT, WITHOUT ROWID;

INSERT INTO tallies SELECT batch, stage, status, count(*), sum(bytes) FROM documents GROUP BY batch, stage, status;

CREATE TRIGGER documents_arrive AFTER INSERT ON documents BEGIN
    INSERT INTO tallies VALUES (NEW.batch, NEW.stage, NEW.status, 1, NEW.bytes)
    ON CONFLICT DO UPDATE SET documents = documents + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER documents_move AFTER UPDATE OF stage, status ON documents
WHEN OLD.stage <> NEW.stage OR OLD.status <> NEW.status BEGIN
    UPDATE tallies SET documents = documents - 1, bytes = bytes - OLD.bytes
    WHERE batch = OLD.batch AND stage = OLD.stage AND status = OLD.status;
    INSERT INTO tallies VALUES (NEW.batch, NEW.stage, NEW.status, 1, NEW.bytes)
    ON CONFLICT DO UPDATE SET documents = documents + 1, bytes = bytes + excluded.bytes;
END;

-- Those of a batch that is deleted go with it.
CREATE TRIGGER documents_leave AFTER DELETE ON documents BEGIN
    UPDATE tallies SET documents = documents - 1, bytes = bytes - OLD.bytes
    WHERE batch = OLD.batch AND stage = OLD.stage AND status = OLD.status;
END;
