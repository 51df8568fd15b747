"""Reading deliveries: what a file is, where its rows are, what they say. No database, no lake."""
