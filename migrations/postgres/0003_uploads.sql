-- Uploads that can break off and go on. The row goes when the upload is finished; what it brought stays.
CREATE TABLE uploads (
    id            uuid PRIMARY KEY,
    batch         uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    -- Whether the batch was made for it.
    makes_batch   boolean NOT NULL,
    -- Whether anything of it came into the batch: from then on the batch waits for its end.
    began         boolean NOT NULL,
    files         bigint NOT NULL,
    bytes         bigint NOT NULL,
    arrived_files bigint NOT NULL DEFAULT 0,
    arrived_bytes bigint NOT NULL DEFAULT 0,
    created_at    bigint NOT NULL,
    -- The last sign of life of the sender.
    seen_at       bigint NOT NULL
);

CREATE INDEX uploads_by_batch ON uploads (batch);

-- Files as they were sent, which archives are not in `documents`.
CREATE TABLE arrivals (
    upload uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    path   text COLLATE "C" NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    bytes  bigint NOT NULL,
    PRIMARY KEY (upload, path, sha256)
);

-- Which upload brought a document; absent where it came in one piece with its batch.
ALTER TABLE documents ADD COLUMN upload uuid;
