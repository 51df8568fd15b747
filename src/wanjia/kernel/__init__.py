"""Identity numbers, names, money, dates, working days, clock, errors. Standard library only."""
