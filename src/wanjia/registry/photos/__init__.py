"""Photos of a household: its house, its certificates on the wall, its land (domain.md §4.2)."""
