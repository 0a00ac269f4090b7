-- Flows: every version that was saved. One that was deleted is only hidden, for its runs.
CREATE TABLE flows (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    hidden  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_versions (
    flow     TEXT NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    spec     TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (flow, version)
) STRICT;

CREATE TABLE runs (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    flow          TEXT NOT NULL,
    version       INTEGER NOT NULL,
    status        TEXT NOT NULL DEFAULT 'pending',
    on_error      TEXT NOT NULL,
    priority      INTEGER NOT NULL,
    budget_tokens INTEGER,
    tokens        INTEGER NOT NULL DEFAULT 0,
    failure       TEXT,
    created_at    INTEGER NOT NULL,
    started_at    INTEGER NOT NULL,
    ran_ms        INTEGER NOT NULL DEFAULT 0,
    finished_at   INTEGER,
    -- When a document of it was last claimed: among equals the one that waited longest is served.
    claimed_at    INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (flow, version) REFERENCES flow_versions (flow, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_active ON runs (id) WHERE status IN ('pending', 'processing');
CREATE INDEX runs_by_flow ON runs (flow, id);

-- The documents of a run, which are its queue too. They stay when their batch is deleted: what was found is kept.
CREATE TABLE run_documents (
    run          TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    document     TEXT NOT NULL,
    batch        TEXT NOT NULL,
    path         TEXT NOT NULL,
    state        TEXT NOT NULL DEFAULT 'pending',
    found        INTEGER NOT NULL DEFAULT 0,
    left_out     INTEGER NOT NULL DEFAULT 0,
    tokens       INTEGER NOT NULL DEFAULT 0,
    failure      TEXT,
    failure_code TEXT GENERATED ALWAYS AS (json_extract(failure, '$.code')) VIRTUAL,
    -- Rises with each claim: the fencing token.
    attempts     INTEGER NOT NULL DEFAULT 0,
    tries        INTEGER NOT NULL DEFAULT 0,
    crashes      INTEGER NOT NULL DEFAULT 0,
    run_at       INTEGER NOT NULL,
    lease_until  INTEGER,
    worker       TEXT,
    PRIMARY KEY (run, document)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_documents_by_state ON run_documents (run, state, document, found);
CREATE INDEX run_documents_ready ON run_documents (run, crashes, document, run_at) WHERE state = 'pending';
CREATE INDEX run_documents_leased ON run_documents (lease_until) WHERE state = 'processing';

CREATE TABLE run_values (
    run         TEXT NOT NULL,
    document    TEXT NOT NULL,
    number      INTEGER NOT NULL,
    step        TEXT NOT NULL,
    field       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    value       TEXT NOT NULL,
    page        INTEGER,
    quote       TEXT,
    -- The quote's place in the text of its page, in bytes.
    quote_start INTEGER,
    quote_end   INTEGER,
    verified    INTEGER,
    probability REAL,
    review      TEXT NOT NULL DEFAULT 'none',
    corrected   TEXT,
    PRIMARY KEY (run, document, number),
    FOREIGN KEY (run, document) REFERENCES run_documents (run, document) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Answers of models by what they depend on, so that nothing is asked twice.
CREATE TABLE answers (
    key      TEXT PRIMARY KEY,
    request  TEXT NOT NULL,
    response TEXT NOT NULL,
    tokens   INTEGER NOT NULL,
    given_at INTEGER NOT NULL
) STRICT;

-- Which documents of runs an answer was used for.
CREATE TABLE exchanges (
    run      TEXT NOT NULL,
    document TEXT NOT NULL,
    step     TEXT NOT NULL,
    key      TEXT NOT NULL REFERENCES answers (key) ON UPDATE CASCADE,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (run, document, step, key),
    FOREIGN KEY (run, document) REFERENCES run_documents (run, document) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX exchanges_by_key ON exchanges (key);
