-- Records of files that became documents, as the files had them.
CREATE TABLE records (
    document uuid PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    -- Its own id; the document's path may differ.
    id       text COLLATE "C" NOT NULL,
    -- All its fields as JSON. Text, for JSON here cannot hold every character.
    fields   text NOT NULL
);

CREATE INDEX records_by_id ON records (id);

-- Which runs a document was in.
CREATE INDEX run_documents_by_document ON run_documents (document, run);
