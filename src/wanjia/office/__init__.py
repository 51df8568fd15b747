"""The office site shell: frame, sign-in, home; composes what the slices offer."""
