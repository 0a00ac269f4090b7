-- Clusterings that were tried on a batch beside its own. They are computed under a lease, as jobs are.
CREATE TABLE tried (
    id          uuid PRIMARY KEY,
    batch       uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    params      json NOT NULL,
    status      text COLLATE "C" NOT NULL DEFAULT 'pending',
    attempt     bigint NOT NULL DEFAULT 0,
    lease_until bigint,
    created_at  bigint NOT NULL,
    seconds     real,
    documents   bigint NOT NULL DEFAULT 0,
    outliers    bigint NOT NULL DEFAULT 0,
    silhouette  real,
    clusters    json NOT NULL DEFAULT '[]',
    failure     json,
    -- Of each document its id and the number of its cluster, 20 bytes; the number of an outlier is the largest there is.
    places      bytea NOT NULL DEFAULT ''
);

CREATE INDEX tried_of_batch ON tried (batch, created_at, id);
CREATE INDEX tried_to_do ON tried (created_at) WHERE status IN ('pending', 'processing');
