"""Wanjia (万家): every household, known, helped, and never quietly rewritten."""

__version__ = "0.1.0"
