"""Django's commands, where the scope has something to add."""
