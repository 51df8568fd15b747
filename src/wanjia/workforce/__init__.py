"""Household contacts and their pairing with households."""
