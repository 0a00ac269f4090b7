-- Uploads that can break off and go on. The row goes when the upload is finished; what it brought stays.
CREATE TABLE uploads (
    id            TEXT PRIMARY KEY,
    batch         TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    -- Whether the batch was made for it.
    makes_batch   INTEGER NOT NULL,
    -- Whether anything of it came into the batch: from then on the batch waits for its end.
    began         INTEGER NOT NULL,
    files         INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    arrived_files INTEGER NOT NULL DEFAULT 0,
    arrived_bytes INTEGER NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    -- The last sign of life of the sender.
    seen_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_batch ON uploads (batch);

-- Files as they were sent, which archives are not in `documents`.
CREATE TABLE arrivals (
    upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    path   TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (upload, path, sha256)
) STRICT, WITHOUT ROWID;

-- Which upload brought a document; absent where it came in one piece with its batch.
ALTER TABLE documents ADD COLUMN upload TEXT;
