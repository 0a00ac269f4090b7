-- Documents whose results came from elsewhere, and whose originals were never here.
CREATE TABLE imported (
    document TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
