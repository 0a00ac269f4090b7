-- Times are milliseconds since 1970, UTC, by the database's clock, as in the store on SQLite. Ids are UUID v7, so they sort
-- by age. Text that is sorted or compared is in the collation "C": byte by byte, whatever the database's own is. What is
-- only carried as a whole is `json`, which keeps every character; `jsonb` would refuse NUL.

CREATE TABLE batches (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    -- Whether documents can still arrive; such a batch is not analysed yet.
    open        boolean NOT NULL DEFAULT true,
    status      text COLLATE "C" NOT NULL DEFAULT 'pending',
    params      json NOT NULL,
    -- They go with the batch, and no answer or export holds them.
    passwords   json NOT NULL DEFAULT '[]',
    failure     json,
    created_at  bigint NOT NULL,
    finished_at bigint
);

CREATE INDEX batches_open ON batches (id) WHERE open;

CREATE TABLE documents (
    id           uuid PRIMARY KEY,
    batch        uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    path         text COLLATE "C" NOT NULL,
    sha256       text COLLATE "C" NOT NULL,
    bytes        bigint NOT NULL,
    -- What it looked like on arrival; `parses` may know better.
    kind         text COLLATE "C",
    status       text COLLATE "C" NOT NULL DEFAULT 'pending',
    stage        text COLLATE "C" NOT NULL DEFAULT 'parse',
    -- Keys into `parses` and `vectors`: what was found is remembered by content, not by document.
    parse        text COLLATE "C",
    vector       text COLLATE "C",
    failure      json,
    failure_code text COLLATE "C",
    -- How many pages are read while it is in work.
    pages_done   bigint,
    pages_total  bigint,
    updated_at   bigint NOT NULL
);

CREATE INDEX documents_by_batch_path ON documents (batch, path, id);
CREATE INDEX documents_by_batch_status ON documents (batch, status, stage);
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
    priority    bigint NOT NULL DEFAULT 0,
    -- Rises with each claim: the fencing token.
    attempts    bigint NOT NULL DEFAULT 0,
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
CREATE INDEX jobs_ready ON jobs (stage, (crashes > 0), priority DESC, run_at, id) WHERE state = 'pending';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'processing';
