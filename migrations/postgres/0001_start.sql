-- Times are milliseconds since 1970, UTC, by the database's clock, as in the store on SQLite. Ids are UUID v7, so they sort
-- by age. Text that is sorted or compared is in the collation "C": byte by byte, whatever the database's own is. What is
-- only carried as a whole is `json`, which keeps every character; `jsonb` would refuse NUL.

CREATE TABLE batches (
    id          uuid PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    -- Whether documents can still arrive; such a batch is not analysed yet.
    open        boolean NOT NULL DEFAULT true,
    status      text COLLATE "C" NOT NULL DEFAULT 'pending',
    params      json NOT NULL,
    -- They go with the batch, and no answer or export holds them.
    passwords   json NOT NULL,
    failure     json,
    -- What a failure does to the others, and who goes first.
    on_error    text COLLATE "C" NOT NULL,
    priority    smallint NOT NULL,
    created_at  bigint NOT NULL,
    -- When it was last set going, and how long it ran before.
    started_at  bigint NOT NULL,
    ran_ms      bigint NOT NULL DEFAULT 0,
    finished_at bigint,
    -- When a job of it was last claimed: among equals the one that waited longest is served.
    claimed_at  bigint NOT NULL DEFAULT 0
);

CREATE INDEX batches_open ON batches (id) WHERE open;
CREATE INDEX batches_running ON batches (id) WHERE status IN ('pending', 'processing');

CREATE TABLE documents (
    id           uuid PRIMARY KEY,
    batch        uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    path         text COLLATE "C" NOT NULL,
    sha256       text COLLATE "C" NOT NULL,
    bytes        bigint NOT NULL,
    -- What it looked like on arrival; `parses` may know better.
    kind         text COLLATE "C",
    status       text COLLATE "C" NOT NULL,
    stage        text COLLATE "C" NOT NULL DEFAULT 'parse',
    -- Keys into `parses` and `vectors`: what was found is remembered by content, not by document.
    parse        text COLLATE "C",
    vector       text COLLATE "C",
    failure      json,
    failure_code text COLLATE "C",
    -- How many pages are read while it is in work.
    pages_done   bigint,
    pages_total  bigint,
    updated_at   bigint NOT NULL,
    -- The transaction that changed it last: the order of changes. Whoever reads them passes over what is not settled yet, that
    -- is not older than every transaction under way.
    version      bigint NOT NULL
);

CREATE INDEX documents_by_batch_path ON documents (batch, path, id);
-- The latest of a status.
CREATE INDEX documents_by_batch_status ON documents (batch, status, version);
CREATE INDEX documents_by_batch_version ON documents (batch, version, id);
-- In the order of arrival, with all that the progress grid shows.
CREATE INDEX documents_by_batch_arrival ON documents (batch, id, status, stage);
CREATE INDEX documents_by_sha256 ON documents (sha256);

CREATE TABLE parses (
    key         text COLLATE "C" PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL,
    pages       bigint NOT NULL,
    words       bigint NOT NULL,
    language    text COLLATE "C",
    metadata    json NOT NULL,
    problems    json NOT NULL,
    -- Where each page begins in the text, in bytes.
    page_starts json NOT NULL
);

CREATE TABLE texts (
    key  text COLLATE "C" PRIMARY KEY REFERENCES parses (key) ON DELETE CASCADE,
    text text NOT NULL
);

-- What text recognition found on a page: `words` are boxes.
CREATE TABLE recognitions (
    key        text COLLATE "C" NOT NULL REFERENCES parses (key) ON DELETE CASCADE,
    page       bigint NOT NULL,
    confidence real NOT NULL,
    words      json NOT NULL,
    PRIMARY KEY (key, page)
);

CREATE TABLE vectors (
    key    text COLLATE "C" PRIMARY KEY,
    vector bytea NOT NULL,
    terms  bytea NOT NULL
);

CREATE TABLE clusterings (
    batch      uuid PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    vectors    text,
    rows       bigint NOT NULL,
    dimensions bigint NOT NULL,
    silhouette real,
    heatmap    json NOT NULL,
    -- Text, for it is given out byte by byte as it came.
    manifest   text NOT NULL
);

CREATE TABLE clusters (
    batch               uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id                  bigint NOT NULL,
    name                text NOT NULL,
    keywords            json NOT NULL,
    size                bigint NOT NULL,
    cohesion            real NOT NULL,
    average_probability real NOT NULL,
    representative      uuid NOT NULL,
    PRIMARY KEY (batch, id)
);

CREATE TABLE placements (
    document    uuid PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    batch       uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    cluster     bigint,
    probability real NOT NULL,
    position    bigint NOT NULL,
    -- [[document, similarity], …], most similar first.
    neighbours  jsonb NOT NULL
);

CREATE UNIQUE INDEX placements_by_position ON placements (batch, position);

CREATE TABLE jobs (
    id          uuid PRIMARY KEY,
    batch       uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    document    uuid REFERENCES documents (id) ON DELETE CASCADE,
    stage       text COLLATE "C" NOT NULL,
    state       text COLLATE "C" NOT NULL DEFAULT 'pending',
    -- Bytes of the document, or of its text: the heaviest jobs of a batch come first.
    weight      bigint NOT NULL DEFAULT 0,
    -- Rises with each claim: the fencing token.
    attempts    bigint NOT NULL DEFAULT 0,
    -- Claims since a person last asked for it: what bounds its attempts.
    tries       bigint NOT NULL DEFAULT 0,
    -- Claims that ended because the worker vanished.
    crashes     bigint NOT NULL DEFAULT 0,
    run_at      bigint NOT NULL,
    lease_until bigint,
    worker      text
);

-- Rows of a queue change often and are soon of no interest: sweep them sooner than other tables.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE UNIQUE INDEX jobs_once ON jobs (batch, stage, coalesce(document, '00000000-0000-0000-0000-000000000000'));
CREATE INDEX jobs_by_document ON jobs (document);
CREATE INDEX jobs_ready ON jobs (stage, batch, weight DESC, id) WHERE state = 'pending' AND crashes = 0;
CREATE INDEX jobs_suspect ON jobs (stage, crashes, run_at, id) WHERE state = 'pending' AND crashes > 0;
CREATE INDEX jobs_running ON jobs (stage, batch, lease_until) WHERE state = 'processing';

-- Attempts that did not succeed.
CREATE TABLE attempts (
    job      uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt  bigint NOT NULL,
    ended_at bigint NOT NULL,
    failure  json NOT NULL,
    PRIMARY KEY (job, attempt)
);

-- What ended well lately, by intervals of five seconds: a row for each transaction, for a counter would make them wait for
-- each other.
CREATE TABLE paces (
    batch    uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    stage    text COLLATE "C" NOT NULL,
    interval bigint NOT NULL,
    jobs     bigint NOT NULL,
    bytes    bigint NOT NULL
);

CREATE INDEX paces_by_batch ON paces (batch, stage, interval);

-- Processes that work on jobs, by their last sign of life.
CREATE TABLE workers (
    id               text PRIMARY KEY,
    host             text NOT NULL,
    stages           json NOT NULL,
    cores            bigint NOT NULL,
    busy             real,
    recognition_full boolean NOT NULL,
    seen_at          bigint NOT NULL
);

-- How many documents of a batch stand where, written by the triggers below: pages ask for it all the time. The rows of a
-- batch are summed; each statement that moves documents adds its differences, and they are folded into one row now and then.
-- They go by a statement of their own when the batch goes: a reference would make each row lock the batch.
CREATE TABLE tallies (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch     uuid NOT NULL,
    stage     text COLLATE "C" NOT NULL,
    status    text COLLATE "C" NOT NULL,
    documents bigint NOT NULL,
    bytes     bigint NOT NULL
);

CREATE INDEX tallies_by_batch ON tallies (batch);

CREATE FUNCTION tally_arrivals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tallies (batch, stage, status, documents, bytes)
    SELECT batch, stage, status, count(*), sum(bytes) FROM arrived GROUP BY batch, stage, status;
    RETURN NULL;
END
$$;

CREATE TRIGGER documents_arrive AFTER INSERT ON documents
REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION tally_arrivals();

CREATE FUNCTION tally_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tallies (batch, stage, status, documents, bytes)
    SELECT batch, stage, status, sum(documents), sum(bytes) FROM (
        SELECT batch, stage, status, -1 AS documents, -bytes AS bytes FROM moved_from
        UNION ALL
        SELECT batch, stage, status, 1, bytes FROM moved_to
    ) AS differences
    GROUP BY batch, stage, status HAVING sum(documents) <> 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER documents_move AFTER UPDATE ON documents
REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to FOR EACH STATEMENT EXECUTE FUNCTION tally_moves();
