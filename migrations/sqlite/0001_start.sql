-- Times are milliseconds since 1970, UTC, by the database's clock. Ids are hyphenated UUIDs; UUID v7, so they sort by age.

CREATE TABLE batches (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    -- Whether documents can still arrive; such a batch is not analysed yet.
    open        INTEGER NOT NULL DEFAULT 1,
    status      TEXT NOT NULL DEFAULT 'pending',
    params      TEXT NOT NULL,
    failure     TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE documents (
    id        TEXT PRIMARY KEY,
    batch     TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    path      TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    -- What it looked like on arrival; `parses` may know better.
    kind      TEXT,
    status    TEXT NOT NULL DEFAULT 'pending',
    stage     TEXT NOT NULL DEFAULT 'parse',
    -- Keys into `parses` and `vectors`: what was found is remembered by content, not by document.
    parse     TEXT,
    vector    TEXT,
    failure   TEXT,
    failure_code TEXT GENERATED ALWAYS AS (json_extract(failure, '$.code')) VIRTUAL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX documents_by_batch_path ON documents (batch, path, id);
CREATE INDEX documents_by_batch_status ON documents (batch, status, stage);
CREATE INDEX documents_by_sha256 ON documents (sha256);

CREATE TABLE parses (
    key      TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,
    pages    INTEGER NOT NULL,
    words    INTEGER NOT NULL,
    language TEXT,
    metadata TEXT NOT NULL,
    problems TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Apart from `parses`, so that lists do not read past megabytes of text.
CREATE TABLE texts (
    key  TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE vectors (
    key    TEXT PRIMARY KEY,
    vector BLOB NOT NULL,
    terms  BLOB NOT NULL
) STRICT;

CREATE TABLE clusterings (
    batch      TEXT PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    vectors    TEXT,
    rows       INTEGER NOT NULL,
    dimensions INTEGER NOT NULL,
    silhouette REAL,
    heatmap    TEXT NOT NULL,
    manifest   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE clusters (
    batch               TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id                  INTEGER NOT NULL,
    name                TEXT NOT NULL,
    keywords            TEXT NOT NULL,
    size                INTEGER NOT NULL,
    cohesion            REAL NOT NULL,
    average_probability REAL NOT NULL,
    representative      TEXT NOT NULL,
    PRIMARY KEY (batch, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE placements (
    document    TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    batch       TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    cluster     INTEGER,
    probability REAL NOT NULL,
    position    INTEGER NOT NULL,
    neighbours  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX placements_by_position ON placements (batch, position);

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    batch       TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    document    TEXT REFERENCES documents (id) ON DELETE CASCADE,
    stage       TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'pending',
    priority    INTEGER NOT NULL DEFAULT 0,
    -- Rises with each claim: the fencing token.
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Claims that ended because the worker vanished.
    crashes     INTEGER NOT NULL DEFAULT 0,
    run_at      INTEGER NOT NULL,
    lease_until INTEGER,
    worker      TEXT
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX jobs_once ON jobs (batch, stage, coalesce(document, ''));
CREATE INDEX jobs_by_document ON jobs (document);
CREATE INDEX jobs_ready ON jobs (stage, (crashes > 0), priority DESC, run_at, id) WHERE state = 'pending';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'processing';
