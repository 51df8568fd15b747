"""What the operator sees: log lines, figures, slow statements, checks. No word of the field."""
