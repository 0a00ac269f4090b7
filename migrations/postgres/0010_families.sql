-- What is remembered of a text to find its near-duplicates, by content.
CREATE TABLE fingerprints (
    key     text PRIMARY KEY REFERENCES parses (key) ON DELETE CASCADE,
    version bigint NOT NULL,
    print   bytea NOT NULL
);

-- From which similarity on the texts of a batch are nearly the same, and the least that was kept. The round rises with each analysis.
CREATE TABLE family_dials (
    batch  uuid PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    round  bigint NOT NULL,
    least  real NOT NULL,
    lowest real NOT NULL
);

-- Documents that are in a family, at this threshold or a lower one (then without a family). The principal has place 0.
CREATE TABLE family_members (
    document uuid PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    batch    uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    text     bigint NOT NULL,
    words    bigint NOT NULL,
    family   bigint,
    place    bigint NOT NULL,
    likeness text NOT NULL,
    jaccard  real NOT NULL
);

CREATE INDEX family_members_by_place ON family_members (batch, family, place);

-- Pairs of texts (as they are numbered above) that are nearly the same.
CREATE TABLE near_pairs (
    batch   uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    a       bigint NOT NULL,
    b       bigint NOT NULL,
    jaccard real NOT NULL,
    PRIMARY KEY (batch, a, b)
);
