"""Dates and numbers as China's offices write them, in both languages."""
