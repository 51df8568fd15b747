"""Rule files, checked expressions, generated SQL steps."""
