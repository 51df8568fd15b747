"""Every act recorded in the transaction that performs it."""
