"""建档立卡: households, people, who belongs to whom and since when, yearly facts, and every change.

Numbers (`household_no`, `person_no`) are ours and never change: the first load numbers in
village order, later arrivals are appended; a merge leaves an alias behind. The sender's texts
are `national_…_no`. A household is people who live and spend together (domain.md §4.1), which
need not be the police household book.

Rows are written by `registry.services` only; each write leaves `Change` rows and one audit
entry in the same transaction.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from wanjia.registry.choices import IN_HOUSEHOLD, Standing
from wanjia.scope.fields import EncryptedTextField
from wanjia.scope.models import Held, ScopedModel, ScopeRule
from wanjia.scope.viewer import Relation

SCOPE = ScopeRule(
    action="registry.read",
    area="village_code",
    held={Relation.OWN_HOUSEHOLDS: Held("household", "household_no")},
)


class Household(ScopedModel):
    """A registered household as it stands now (domain.md §4.2). Never deleted: it is removed or cancelled."""

    household_no = models.IntegerField(primary_key=True)
    national_household_no = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()  # the reporting year of this record
    village_code = models.CharField(max_length=12)
    hamlet = models.CharField(max_length=60, blank=True)
    head_person_no = models.IntegerField(db_index=True)
    recognition_standard = models.CharField(max_length=2, blank=True)  # CL-01
    household_category = models.CharField(max_length=2)  # CL-02
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.LIVE)
    poverty_status = models.CharField(max_length=2, blank=True)  # CL-03; empty once the household is not live
    identified_year = models.PositiveSmallIntegerField()
    exit_year = models.PositiveSmallIntegerField(null=True)  # of the latest exit
    return_year = models.PositiveSmallIntegerField(null=True)
    main_cause = models.CharField(max_length=2, blank=True)  # CL-04
    other_causes = models.CharField(max_length=8, blank=True)  # CL-04, at most two, "08,09"
    relocated = models.BooleanField(default=False)
    phone = EncryptedTextField(aad="household_no", mask="phone", null=True)
    bank_name = models.CharField(max_length=60, blank=True)
    bank_account = EncryptedTextField(aad="household_no", mask="account", null=True)
    member_count = models.PositiveSmallIntegerField()  # members in status 1 or 4
    entered_by = models.BigIntegerField()
    entered_on = models.DateField()
    removed_on = models.DateField(null=True)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "户"
        constraints = [
            models.UniqueConstraint(
                fields=["national_household_no"],
                condition=~Q(national_household_no=""),
                name="household_national_number_once",
            ),
            models.CheckConstraint(
                condition=Q(standing=Standing.LIVE, removed_on=None) & ~Q(poverty_status="")
                | ~Q(standing=Standing.LIVE) & Q(removed_on__isnull=False, poverty_status="", member_count=0),
                name="household_is_live_or_has_left_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(exit_year=None) | Q(exit_year__gte=F("identified_year")),
                name="household_exits_after_it_was_identified",
            ),
        ]
        indexes = [
            # Lists run along it and are counted in it, whatever they are narrowed to.
            models.Index(
                fields=["village_code", "household_no", "standing", "poverty_status", "household_category"],
                name="household_by_village",
            ),
        ]

    def __str__(self) -> str:
        return str(self.household_no)

    @property
    def is_live(self) -> bool:
        return self.standing == Standing.LIVE


class Person(ScopedModel):
    """A registered person. `household_no` and `village_code` are those of the present or last household.

    `person_key` is taken of the number as it was written, before any repair, and is never
    unique: siblings share numbers and people are registered twice (domain.md §3.3).
    """

    person_no = models.IntegerField(primary_key=True)
    national_person_no = models.CharField(max_length=40)
    household_no = models.IntegerField(db_index=True)
    village_code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    name_match = models.CharField(max_length=60)  # kernel.names.match_form
    id_type = models.CharField(max_length=2, blank=True)
    id_number = EncryptedTextField(aad="person_no", mask="id", null=True)
    person_key = models.BigIntegerField(null=True, db_index=True)
    id_valid = models.BooleanField()
    sex = models.CharField(max_length=1, blank=True)  # CL-05
    birth_date = models.DateField(null=True)
    ethnicity = models.CharField(max_length=2, blank=True)  # GB/T 3304

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "人员"
        constraints = [
            models.UniqueConstraint(
                fields=["national_person_no"], condition=~Q(national_person_no=""), name="person_national_number_once"
            ),
        ]
        indexes = [
            models.Index(fields=["village_code", "person_no"], name="person_by_village"),
            # Answers a search by the beginning of a name without a look at the rows.
            models.Index(
                fields=["name_match", "village_code", "household_no"],
                opclasses=["varchar_pattern_ops", "text_ops", "int4_ops"],
                name="person_by_name",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person_no)


class Membership(ScopedModel):
    """One stay of a person in a household. `latest` marks the one his record stands on now."""

    person_no = models.IntegerField()
    household_no = models.IntegerField(db_index=True)
    village_code = models.CharField(max_length=12)
    relation = models.CharField(max_length=2)  # CL-06
    member_status = models.CharField(max_length=2)  # CL-13
    joined_on = models.DateField(null=True)  # null: since before the registry
    left_on = models.DateField(null=True)  # null with a status outside {1, 4}: the day is not known
    change_reason = models.CharField(max_length=2, blank=True)  # CL-14, why he joined or left
    latest = models.BooleanField(default=True)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "家庭成员关系"
        constraints = [
            models.UniqueConstraint(fields=["person_no"], condition=Q(latest=True), name="membership_one_latest"),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(joined_on=None) | Q(left_on__gte=F("joined_on")),
                name="membership_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(left_on=None) | ~Q(member_status__in=sorted(IN_HOUSEHOLD)),
                name="membership_of_those_present_is_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_no} in {self.household_no}"

    @property
    def in_household(self) -> bool:
        return self.member_status in IN_HOUSEHOLD


class HouseholdYear(ScopedModel):
    """What was true of a household in one reporting year: standing, income, dwelling. Money in fen."""

    household_no = models.IntegerField()
    year = models.PositiveSmallIntegerField()
    village_code = models.CharField(max_length=12)
    poverty_status = models.CharField(max_length=2, blank=True)
    member_count = models.PositiveSmallIntegerField(null=True)  # at collection: the denominator of per-capita income
    wage_income = models.BigIntegerField(null=True)
    business_income = models.BigIntegerField(null=True)
    property_income = models.BigIntegerField(null=True)
    transfer_income = models.BigIntegerField(null=True)
    business_expense = models.BigIntegerField(null=True)
    danger_grade = models.CharField(max_length=1, blank=True)  # A to D; C and D are dangerous
    water_safe = models.BooleanField(null=True)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "户年度情况"
        constraints = [
            models.UniqueConstraint(fields=["household_no", "year"], name="household_year_once"),
        ]

    def __str__(self) -> str:
        return f"{self.household_no} {self.year}"

    @property
    def gross_income(self) -> int | None:
        """Wage, business, property and transfer income together (domain.md §4.4); None if nothing was collected."""
        parts = (self.wage_income, self.business_income, self.property_income, self.transfer_income)
        return None if all(part is None for part in parts) else sum(part or 0 for part in parts)

    @property
    def net_income(self) -> int | None:
        """Gross income less what business cost."""
        gross = self.gross_income
        return None if gross is None else gross - (self.business_expense or 0)

    @property
    def net_income_per_head(self) -> int | None:
        """Per member at collection, in fen, half a fen rounded up (domain.md §4.4)."""
        net = self.net_income
        if net is None or not self.member_count:
            return None
        return (2 * net + self.member_count) // (2 * self.member_count)


class PersonYear(ScopedModel):
    """What was true of a person in one reporting year (domain.md §4.3)."""

    person_no = models.IntegerField()
    household_no = models.IntegerField(db_index=True)
    year = models.PositiveSmallIntegerField()
    village_code = models.CharField(max_length=12)
    education = models.CharField(max_length=2, blank=True)  # CL-08
    student_status = models.CharField(max_length=2, blank=True)  # CL-09
    labour_capacity = models.CharField(max_length=2, blank=True)  # CL-10
    work_location = models.CharField(max_length=2, blank=True)  # CL-11
    work_months = models.PositiveSmallIntegerField(null=True)
    health = models.CharField(max_length=11, blank=True)  # CL-12, several: "02,04"
    disability_type = models.CharField(max_length=1, blank=True, default="")  # as on the certificate, domain.md §3.3
    disability_grade = models.CharField(max_length=1, blank=True, default="")  # 1 is the heaviest
    resident_medical_ins = models.BooleanField(null=True)
    on_dibao = models.BooleanField(null=True)
    on_tekun = models.BooleanField(null=True)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "人员年度情况"
        constraints = [
            models.UniqueConstraint(fields=["person_no", "year"], name="person_year_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_no} {self.year}"


class HouseholdAlias(models.Model):
    """A household number that now means another one, after a merge."""

    old_no = models.IntegerField(primary_key=True)
    new_no = models.IntegerField(db_index=True)
    event_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.old_no} → {self.new_no}"


class PersonAlias(models.Model):
    """A person number that now means another one: somebody was registered twice."""

    old_no = models.IntegerField(primary_key=True)
    new_no = models.IntegerField(db_index=True)
    event_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.old_no} → {self.new_no}"


class NumberSeries(models.Model):
    """The next number to give out; a row per kind, locked while numbers are taken."""

    kind = models.CharField(max_length=10, primary_key=True)
    next_no = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.next_no}"


class Change(ScopedModel):
    """One field that one act changed. Values of protected fields stand encrypted in the sealed columns.

    The rows of an act are the details its audit entry commits to, in the order of `seq`, each
    under its own `salt`. Append-only.
    """

    event_id = models.UUIDField()
    seq = models.PositiveIntegerField()
    village_code = models.CharField(max_length=12)
    household_no = models.IntegerField()
    person_no = models.IntegerField(null=True)
    year = models.PositiveSmallIntegerField(null=True)
    field = models.CharField(max_length=40)
    old = models.CharField(max_length=200, blank=True)
    new = models.CharField(max_length=200, blank=True)
    old_sealed = EncryptedTextField(aad="event_id", null=True)
    new_sealed = EncryptedTextField(aad="event_id", null=True)
    reason = models.CharField(max_length=200)
    case_no = models.BigIntegerField(null=True)
    by_user = models.BigIntegerField()
    at = models.DateTimeField()
    salt = models.BinaryField(max_length=16)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "变更"
        constraints = [models.UniqueConstraint(fields=["event_id", "seq"], name="change_once_per_event_and_place")]
        indexes = [
            models.Index(fields=["household_no", "-id"], name="change_by_household"),
            models.Index(fields=["village_code", "-id"], name="change_by_village"),
            models.Index(fields=["case_no"], condition=Q(case_no__isnull=False), name="change_by_case"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id}/{self.seq} {self.field}"
