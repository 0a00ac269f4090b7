-- A number that rises whenever a batch's clustering or families change. With the order of changes of its documents it tells
-- whether what was read of a batch is still so.
CREATE TABLE marks (
    batch TEXT PRIMARY KEY REFERENCES batches (id) ON DELETE CASCADE,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER clusterings_arrive AFTER INSERT ON clusterings BEGIN
    INSERT INTO marks VALUES (NEW.batch, 1) ON CONFLICT DO UPDATE SET value = value + 1;
END;

CREATE TRIGGER clusterings_change AFTER UPDATE ON clusterings BEGIN
    INSERT INTO marks VALUES (NEW.batch, 1) ON CONFLICT DO UPDATE SET value = value + 1;
END;

CREATE TRIGGER family_dials_arrive AFTER INSERT ON family_dials BEGIN
    INSERT INTO marks VALUES (NEW.batch, 1) ON CONFLICT DO UPDATE SET value = value + 1;
END;

CREATE TRIGGER family_dials_change AFTER UPDATE ON family_dials BEGIN
    INSERT INTO marks VALUES (NEW.batch, 1) ON CONFLICT DO UPDATE SET value = value + 1;
END;

-- An analysis inserts placements together with their clustering; who changes some alone is noticed here.
CREATE TRIGGER placements_change AFTER UPDATE ON placements BEGIN
    INSERT INTO marks VALUES (NEW.batch, 1) ON CONFLICT DO UPDATE SET value = value + 1;
END;
