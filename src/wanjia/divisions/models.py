"""Administrative divisions by code, with what they used to be (domain.md §3.1).

Divisions are public facts that every page needs for its labels; they are not cut to a viewer.
The picker, which offers places to act on, is.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from wanjia.divisions.choices import Level


class Division(models.Model):
    """A division as it is now, or as it was while it existed.

    `name` is what people say and screens show (定福村), `official_name` what the statistics
    bureau writes (定福村委会).
    """

    code = models.CharField(max_length=15, primary_key=True)
    name = models.CharField(max_length=60)
    official_name = models.CharField(max_length=60)
    level = models.CharField(max_length=10, choices=Level.choices)
    parent_code = models.CharField(max_length=15, blank=True, db_index=True)
    valid_from = models.DateField(null=True)  # null: since before our records
    valid_to = models.DateField(null=True)  # first day on which it is no longer used

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_from=None) | Q(valid_to__gt=F("valid_from")),
                name="division_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class DivisionAlias(models.Model):
    """A code that was replaced: everything below `old_code` is found below `new_code`."""

    old_code = models.CharField(max_length=15, primary_key=True)
    old_name = models.CharField(max_length=60)
    new_code = models.CharField(max_length=15, db_index=True)
    valid_to = models.DateField()  # first day of the new code
    source = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.old_code} → {self.new_code}"


class Revision(models.Model):
    """One row: changes whenever divisions change, so that processes know to read again."""

    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token
