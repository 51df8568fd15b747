"""A synthetic county with real division names, and the guided demo that runs it."""
