"""Whose record is this? Department rows resolved to registered people."""
