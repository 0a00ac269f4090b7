-- The group in which the analysis alone put a document, before what people changed.
ALTER TABLE placements ADD COLUMN found bigint;

ALTER TABLE clusters ADD COLUMN named_by text NOT NULL DEFAULT 'words';
ALTER TABLE clusters ADD COLUMN edited boolean NOT NULL DEFAULT false;

-- What of a batch's clusters lasts. The round rises with each analysis and edit; numbers from `next` on were never given. `found` are numbers
-- and names of the groups that the analysis alone found, `report` is what the latest one changed.
CREATE TABLE cluster_books (
    batch  uuid PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    round  bigint NOT NULL,
    next   bigint NOT NULL,
    found  json NOT NULL,
    report json
);

-- What people changed. Rows are added and taken back, nothing else.
CREATE TABLE cluster_edits (
    batch      uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    id         bigint NOT NULL,
    made_at    bigint NOT NULL,
    taken_back boolean NOT NULL DEFAULT false,
    change     json NOT NULL,
    PRIMARY KEY (batch, id)
);

-- Where an edit holds documents; without a cluster among the outliers.
CREATE TABLE cluster_edit_documents (
    document uuid NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    batch    uuid NOT NULL,
    edit     bigint NOT NULL,
    cluster  bigint,
    PRIMARY KEY (batch, edit, document),
    FOREIGN KEY (batch, edit) REFERENCES cluster_edits (batch, id) ON DELETE CASCADE
);

CREATE INDEX cluster_edit_documents_by_document ON cluster_edit_documents (document);
