-- How the clusters of a clustering join when fewer are wanted, in the order in which they do. The documents of a group stand side by
-- side: `size` of them from `start`, by position.
CREATE TABLE levels (
    batch uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id    bigint NOT NULL,
    start bigint NOT NULL,
    size  bigint NOT NULL,
    merge json NOT NULL,
    PRIMARY KEY (batch, id)
);
