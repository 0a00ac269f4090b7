-- The group in which the analysis alone put a document, before what people changed.
ALTER TABLE placements ADD COLUMN found INTEGER;

ALTER TABLE clusters ADD COLUMN named_by TEXT NOT NULL DEFAULT 'words';
ALTER TABLE clusters ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;

-- What of a batch's clusters lasts. The round rises with each analysis and edit; numbers from `next` on were never given. `found` are numbers
-- and names of the groups that the analysis alone found, `report` is what the latest one changed.
CREATE TABLE cluster_books (
    batch  TEXT PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    round  INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    found  TEXT NOT NULL,
    report TEXT
) STRICT, WITHOUT ROWID;

-- What people changed. Rows are added and taken back, nothing else.
CREATE TABLE cluster_edits (
    batch      TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id         INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,
    taken_back INTEGER NOT NULL DEFAULT 0,
    change     TEXT NOT NULL,
    PRIMARY KEY (batch, id)
) STRICT, WITHOUT ROWID;

-- Where an edit holds documents; without a cluster among the outliers.
CREATE TABLE cluster_edit_documents (
    document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    batch    TEXT NOT NULL,
    edit     INTEGER NOT NULL,
    cluster  INTEGER,
    PRIMARY KEY (batch, edit, document),
    FOREIGN KEY (batch, edit) REFERENCES cluster_edits (batch, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX cluster_edit_documents_by_document ON cluster_edit_documents (document);
