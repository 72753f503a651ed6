"""What sealing needs of the outside: signatures, a directory of tiles, a lock and a table in Postgres."""
