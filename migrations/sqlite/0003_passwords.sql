-- Passwords that were given with a batch: a JSON array. They go with it, and no answer or export holds them.
ALTER TABLE batches ADD COLUMN passwords TEXT NOT NULL DEFAULT '[]';
