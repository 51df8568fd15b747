"""A household's cases as one matter: listed together, visited once, printed on one sheet."""
