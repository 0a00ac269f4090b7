-- The words of texts, to search them, folded before they come here. A long text has several parts, for a `tsvector` holds a
-- megabyte and 16,383 places; each part begins with the last words of the one before, so that no phrase is cut. What was
-- remembered before is indexed step by step after the start.
CREATE TABLE text_words (
    key   text COLLATE "C" NOT NULL REFERENCES texts (key) ON DELETE CASCADE,
    part  bigint NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (key, part)
);

CREATE INDEX text_words_by_word ON text_words USING gin (words);

CREATE INDEX documents_by_parse ON documents (parse) WHERE parse IS NOT NULL;
