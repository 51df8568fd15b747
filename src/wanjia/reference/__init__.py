"""Code lists, parameters, poverty lines, calendar and profiles, with validity and source."""
