"""Evidence and uploads: content-addressed, checked, encrypted, served safely."""
