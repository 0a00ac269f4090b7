-- What is remembered of a text to find its near-duplicates, by content.
CREATE TABLE fingerprints (
    key     TEXT PRIMARY KEY REFERENCES parses (key) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    print   BLOB NOT NULL
) STRICT;

-- From which similarity on the texts of a batch are nearly the same, and the least that was kept. The round rises with each analysis.
CREATE TABLE family_dials (
    batch  TEXT PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    round  INTEGER NOT NULL,
    least  REAL NOT NULL,
    lowest REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Documents that are in a family, at this threshold or a lower one (then without a family). The principal has place 0.
CREATE TABLE family_members (
    document TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    batch    TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    text     INTEGER NOT NULL,
    words    INTEGER NOT NULL,
    family   INTEGER,
    place    INTEGER NOT NULL,
    likeness TEXT NOT NULL,
    jaccard  REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX family_members_by_place ON family_members (batch, family, place);

-- Pairs of texts (as they are numbered above) that are nearly the same.
CREATE TABLE near_pairs (
    batch   TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    a       INTEGER NOT NULL,
    b       INTEGER NOT NULL,
    jaccard REAL NOT NULL,
    PRIMARY KEY (batch, a, b)
) STRICT, WITHOUT ROWID;
