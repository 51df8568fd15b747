"""Viewers, grants as ranges, holdings, Scoped querysets. Knows no word of the field."""
