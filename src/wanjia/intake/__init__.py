"""Tables that others send: recognised by content, every line accounted for, every cell read as text first."""
