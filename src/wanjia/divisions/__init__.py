"""Administrative divisions with their history, aliases and names."""
