"""Found by Django by name."""
