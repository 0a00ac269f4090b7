-- Clusterings that were tried on a batch beside its own. They are computed under a lease, as jobs are.
CREATE TABLE tried (
    id          TEXT PRIMARY KEY,
    batch       TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    params      TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT 'pending',
    attempt     INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    created_at  INTEGER NOT NULL,
    seconds     REAL,
    documents   INTEGER NOT NULL DEFAULT 0,
    outliers    INTEGER NOT NULL DEFAULT 0,
    silhouette  REAL,
    clusters    TEXT NOT NULL DEFAULT '[]',
    failure     TEXT,
    -- Of each document its id and the number of its cluster, 20 bytes; the number of an outlier is the largest there is.
    places      BLOB NOT NULL DEFAULT x''
) STRICT;

CREATE INDEX tried_of_batch ON tried (batch, created_at, id);
CREATE INDEX tried_to_do ON tried (created_at) WHERE status IN ('pending', 'processing');
