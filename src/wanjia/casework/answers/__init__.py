"""Answering in Excel: the form that is filled in, and what comes back."""
