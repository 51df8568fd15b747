"""Faults of a program that holds a row in clear in its hands: in a page and in a background job."""
