"""The household-year sheet and the member sheet (domain.md §18): handed out, taken in, taken in as corrections."""
