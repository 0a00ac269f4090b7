-- A number that rises whenever a batch's clustering or families change. With the order of changes of its documents it tells
-- whether what was read of a batch is still so.
CREATE TABLE marks (
    batch uuid PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    value bigint NOT NULL
);

CREATE FUNCTION mark_batches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marks (batch, value) SELECT DISTINCT batch, 1 FROM changed ORDER BY batch
    ON CONFLICT (batch) DO UPDATE SET value = marks.value + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER clusterings_arrive AFTER INSERT ON clusterings
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_batches();

CREATE TRIGGER clusterings_change AFTER UPDATE ON clusterings
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_batches();

CREATE TRIGGER family_dials_arrive AFTER INSERT ON family_dials
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_batches();

CREATE TRIGGER family_dials_change AFTER UPDATE ON family_dials
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_batches();

-- An analysis inserts placements together with their clustering; who changes some alone is noticed here.
CREATE TRIGGER placements_change AFTER UPDATE ON placements
REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION mark_batches();
