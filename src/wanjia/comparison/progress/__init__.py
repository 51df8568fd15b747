"""How far suspects have come: by level, rule and department, and the weekly table (domain.md §6.1)."""
