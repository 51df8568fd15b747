"""Backup and restore: the whole installation as one folder of files that prove themselves, without its keys."""
