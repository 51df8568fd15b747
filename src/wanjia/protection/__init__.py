"""Keys, person_key, ciphers, masking. Runs without Django."""
