-- How the clusters of a clustering join when fewer are wanted, in the order in which they do. The documents of a group stand side by
-- side: `size` of them from `start`, by position.
CREATE TABLE levels (
    batch TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id    INTEGER NOT NULL,
    start INTEGER NOT NULL,
    size  INTEGER NOT NULL,
    merge TEXT NOT NULL,
    PRIMARY KEY (batch, id)
) STRICT, WITHOUT ROWID;
