-- Whether the text of the document has changed since this run was done with it.
ALTER TABLE run_documents ADD COLUMN outdated INTEGER NOT NULL DEFAULT 0;
