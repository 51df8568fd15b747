"""The registry seen from above: what a village is like, and how many there are of what."""
