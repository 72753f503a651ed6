-- How far each read model is. Its tables stand in the schema rm_<name>_<generation>, views of the same names in
-- public show the generation in use; a rebuild fills the next generation and then moves the row below.
CREATE TABLE projections (
    name text PRIMARY KEY,
    version integer NOT NULL,
    generation bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 50);

-- Read models that stopped, and at which event. A row goes away when its read model gets past that event.
CREATE TABLE projection_failures (
    name text PRIMARY KEY REFERENCES projections (name),
    position bigint NOT NULL,
    error text NOT NULL,
    tries bigint NOT NULL,
    since_us bigint NOT NULL
);
