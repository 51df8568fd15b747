"""Steps → one SQL statement → DuckDB, and the restricted language rules are written in. Runs without Django.

Nothing is imported here: a computation's child process starts with what it needs and no more.
"""
