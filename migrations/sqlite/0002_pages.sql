-- Where each page begins in the text, in bytes: a JSON array.
ALTER TABLE parses ADD COLUMN page_starts TEXT NOT NULL DEFAULT '[]';

-- How many pages of a document are read while it is in work.
ALTER TABLE documents ADD COLUMN pages_done INTEGER;
ALTER TABLE documents ADD COLUMN pages_total INTEGER;

-- What text recognition found on a page: `words` is a JSON array of boxes.
CREATE TABLE recognitions (
    key        TEXT NOT NULL REFERENCES parses (key) ON DELETE CASCADE,
    page       INTEGER NOT NULL,
    confidence REAL NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (key, page)
) STRICT, WITHOUT ROWID;
