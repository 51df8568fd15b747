"""A sample as a zip that its reader verifies alone; `verify.py` goes into it as it is."""
