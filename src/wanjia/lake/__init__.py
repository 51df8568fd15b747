"""Immutable Parquet datasets, manifests, serving indexes. Runs without Django."""
