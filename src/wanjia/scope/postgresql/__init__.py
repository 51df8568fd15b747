"""PostgreSQL with the second lock: Django's own backend, whose statements carry their reach."""
