-- Flows: every version that was saved. One that was deleted is only hidden, for its runs.
CREATE TABLE flows (
    id      uuid PRIMARY KEY,
    version bigint NOT NULL,
    hidden  boolean NOT NULL DEFAULT false
);

CREATE TABLE flow_versions (
    flow     uuid NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
    version  bigint NOT NULL,
    name     text NOT NULL,
    spec     json NOT NULL,
    saved_at bigint NOT NULL,
    PRIMARY KEY (flow, version)
);

CREATE TABLE runs (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    flow          uuid NOT NULL,
    version       bigint NOT NULL,
    status        text COLLATE "C" NOT NULL DEFAULT 'pending',
    on_error      text COLLATE "C" NOT NULL,
    priority      smallint NOT NULL,
    budget_tokens bigint,
    tokens        bigint NOT NULL DEFAULT 0,
    failure       json,
    created_at    bigint NOT NULL,
    started_at    bigint NOT NULL,
    ran_ms        bigint NOT NULL DEFAULT 0,
    finished_at   bigint,
    -- When a document of it was last claimed: among equals the one that waited longest is served.
    claimed_at    bigint NOT NULL DEFAULT 0,
    FOREIGN KEY (flow, version) REFERENCES flow_versions (flow, version)
);

CREATE INDEX runs_active ON runs (id) WHERE status IN ('pending', 'processing');
CREATE INDEX runs_by_flow ON runs (flow, id);

-- The documents of a run, which are its queue too. They stay when their batch is deleted: what was found is kept.
CREATE TABLE run_documents (
    run          uuid NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    document     uuid NOT NULL,
    batch        uuid NOT NULL,
    path         text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'pending',
    found        bigint NOT NULL DEFAULT 0,
    left_out     boolean NOT NULL DEFAULT false,
    tokens       bigint NOT NULL DEFAULT 0,
    failure      json,
    failure_code text COLLATE "C" GENERATED ALWAYS AS (failure ->> 'code') STORED,
    -- Rises with each claim: the fencing token.
    attempts     bigint NOT NULL DEFAULT 0,
    tries        bigint NOT NULL DEFAULT 0,
    crashes      bigint NOT NULL DEFAULT 0,
    run_at       bigint NOT NULL,
    lease_until  bigint,
    worker       text COLLATE "C",
    PRIMARY KEY (run, document)
);

CREATE INDEX run_documents_by_state ON run_documents (run, state, document, found);
CREATE INDEX run_documents_ready ON run_documents (run, crashes, document, run_at) WHERE state = 'pending';
CREATE INDEX run_documents_leased ON run_documents (lease_until) WHERE state = 'processing';

CREATE TABLE run_values (
    run         uuid NOT NULL,
    document    uuid NOT NULL,
    number      bigint NOT NULL,
    step        text COLLATE "C" NOT NULL,
    field       text COLLATE "C" NOT NULL,
    place       bigint NOT NULL,
    value       text NOT NULL,
    page        bigint,
    quote       text,
    -- The quote's place in the text of its page, in bytes.
    quote_start bigint,
    quote_end   bigint,
    verified    boolean,
    probability real,
    review      text COLLATE "C" NOT NULL DEFAULT 'none',
    corrected   text,
    PRIMARY KEY (run, document, number),
    FOREIGN KEY (run, document) REFERENCES run_documents (run, document) ON DELETE CASCADE
);

-- Answers of models by what they depend on, so that nothing is asked twice.
CREATE TABLE answers (
    key      text COLLATE "C" PRIMARY KEY,
    request  text NOT NULL,
    response text NOT NULL,
    tokens   bigint NOT NULL,
    given_at bigint NOT NULL
);

-- Which documents of runs an answer was used for.
CREATE TABLE exchanges (
    run      uuid NOT NULL,
    document uuid NOT NULL,
    step     text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL REFERENCES answers (key) ON UPDATE CASCADE,
    noted_at bigint NOT NULL,
    PRIMARY KEY (run, document, step, key),
    FOREIGN KEY (run, document) REFERENCES run_documents (run, document) ON DELETE CASCADE
);

CREATE INDEX exchanges_by_key ON exchanges (key);
