"""Rules to SQL to DuckDB. Runs without Django."""
