"""Change requests: a correction that somebody else must look at before it stands (domain.md §16.1, §16.3)."""
