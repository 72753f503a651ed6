"""The JSON API of operators, under `/api/admin`."""
