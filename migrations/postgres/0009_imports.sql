-- Documents whose results came from elsewhere, and whose originals were never here.
CREATE TABLE imported (
    document uuid PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE
);
