-- The words of texts, to search them. A number for each text that has been indexed: those of `texts` itself may change when
-- the file is packed. What was remembered before is indexed step by step after the start.
CREATE TABLE indexed_texts (
    id  INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE REFERENCES texts (key) ON DELETE CASCADE
) STRICT;

-- The words alone, folded before they come here; the texts are in `texts`.
CREATE VIRTUAL TABLE text_words USING fts5(
    words,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 0',
    prefix = '2 3'
);

CREATE TRIGGER indexed_texts_deleted AFTER DELETE ON indexed_texts BEGIN
    DELETE FROM text_words WHERE rowid = old.id;
END;

CREATE INDEX documents_by_parse ON documents (parse) WHERE parse IS NOT NULL;
