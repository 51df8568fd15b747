"""Long lists leave only with a second person's approval (domain.md §16.4, design.md §5)."""
