-- Names are searched for by what they hold, also in scripts that put no blanks between words. Their pieces of one to three signs
-- are indexed; a name that holds a text has all pieces of the text, of which the longest say most.
CREATE FUNCTION name_pieces(name text, size_min integer) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT array_agg(DISTINCT substr(plain, place, size))
    FROM (SELECT lower(name) AS plain) AS one, generate_series(1, length(plain)) AS place,
        generate_series(least(size_min, length(plain)), 3) AS size
    WHERE place + size - 1 <= length(plain)
$$;
CREATE INDEX subject_names_pieces ON subject_names USING gin (name_pieces(name, 1)) WHERE name IS NOT NULL;
