"""Merkle hashing for commitments. Runs without Django."""
