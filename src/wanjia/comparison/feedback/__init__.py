"""What departments are told of their own records and what they say to it (domain.md §6.1, outcomes 06–08)."""
