"""Policy as rows: code lists, parameters, poverty lines, days off, phases; each with validity and source.

Rows come from the files in `data/` or from an administrator. `edited_by` tells which: a row an
administrator wrote is never overwritten by a load. Regions are division codes, "" the whole
country; the nearest region wins. A value holds from `valid_from` until the next one of its
region begins or `valid_to`, the first day on which it no longer holds.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from wanjia.reference.choices import DayKind, LineKind, ValueType


class Sourced(models.Model):
    """What every row of policy says about itself."""

    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)  # the document, with its mark (S), (V), (K) or (D)
    edited_by = models.BigIntegerField(null=True, editable=False)  # user id; null: from the files
    edited_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class CodeList(models.Model):
    """A list of codes with its number in domain.md (CL-01 …)."""

    name = models.CharField(max_length=40, primary_key=True)
    number = models.CharField(max_length=10, blank=True)
    title_zh = models.CharField(max_length=60)
    title_en = models.CharField(max_length=80)
    source = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Code(Sourced):
    """One code of a list; in a vintage other than "" its meaning is a code of the list itself.

    `vintage` "" is what the platform stores. Other vintages are lists met in files: there the
    code may differ, and `means` says which of ours it is ("" when we have none).
    """

    code_list = models.ForeignKey(CodeList, on_delete=models.CASCADE, related_name="codes")
    vintage = models.CharField(max_length=30, blank=True)
    code = models.CharField(max_length=10)
    means = models.CharField(max_length=10, blank=True)
    label_zh = models.CharField(max_length=60)
    label_en = models.CharField(max_length=80, blank=True)
    synonyms = models.JSONField(default=list)  # other labels met in files
    traits = models.JSONField(default=dict)  # facts rules and screens need, e.g. {"in_household": true}
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code_list", "vintage", "code"], name="code_once_in_list_and_vintage"),
        ]

    def __str__(self) -> str:
        return f"{self.code_list_id} {self.vintage} {self.code}".replace("  ", " ")


class Parameter(Sourced):
    """One value of a named parameter, in a region, from a day on."""

    name = models.CharField(max_length=60)
    region = models.CharField(max_length=15, blank=True)
    value = models.JSONField()
    value_type = models.CharField(max_length=10, choices=ValueType.choices)
    title_zh = models.CharField(max_length=80)
    title_en = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "region", "valid_from"], name="parameter_one_value_from_a_day"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="parameter_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.region or '-'} {self.valid_from}"


class PovertyLine(Sourced):
    """A poverty line of a year, in yuan per head and year."""

    year = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=LineKind.choices)
    region = models.CharField(max_length=15, blank=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["year", "kind", "region", "valid_from"], name="poverty_line_one_amount_from_a_day"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="poverty_line_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.kind} {self.region or '-'} {self.valid_from}"


class CalendarDay(models.Model):
    """A day off, or a weekend day on which offices work."""

    day = models.DateField()
    region = models.CharField(max_length=15, blank=True)
    kind = models.CharField(max_length=10, choices=DayKind.choices)
    name_zh = models.CharField(max_length=60)
    name_en = models.CharField(max_length=80)
    source = models.CharField(max_length=200)
    edited_by = models.BigIntegerField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "region"], name="calendar_day_once_in_a_region")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"


class Profile(Sourced):
    """A phase of the work with its words (design.md §5 Profiles)."""

    code = models.CharField(max_length=30, primary_key=True)
    title_zh = models.CharField(max_length=60)
    title_en = models.CharField(max_length=80)
    terms = models.JSONField(default=dict)  # key → {"zh": …, "en": …}

    def __str__(self) -> str:
        return self.code


class ProfileSwitch(models.Model):
    """A feature that a phase has or, mostly by law, has not."""

    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="switches")
    code = models.CharField(max_length=40)
    is_on = models.BooleanField()
    title_zh = models.CharField(max_length=80)
    title_en = models.CharField(max_length=100)
    legal_source = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "code"], name="switch_once_in_a_profile")]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.code}"


class Revision(models.Model):
    """One row: changes whenever anything above changes, so that processes know to read again."""

    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token
