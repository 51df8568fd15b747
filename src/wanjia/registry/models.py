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
from django.urls import reverse

from wanjia.registry import income
from wanjia.registry.choices import (
    IN_HOUSEHOLD,
    OPEN_REQUESTS,
    ErasureState,
    ImportMode,
    ImportStatus,
    ItemState,
    RequestState,
    SheetKind,
    Standing,
    YearState,
)
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
    cause_note = models.CharField(max_length=200, blank=True, default="")
    martyr_or_military_family = models.BooleanField(null=True)
    one_child_family = models.BooleanField(null=True)
    two_daughter_family = models.BooleanField(null=True)
    village_no = models.CharField(max_length=20, blank=True, default="")  # empty outside registered poor villages
    longitude = models.IntegerField(null=True)  # WGS-84, millionths of a degree
    latitude = models.IntegerField(null=True)
    relocated = models.BooleanField(default=False)
    phone = EncryptedTextField(aad="household_no", mask="phone", null=True)
    phone_key = models.BigIntegerField(null=True)  # Keyring.phone_key of it
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
            models.Index(fields=["phone_key"], condition=Q(phone_key__isnull=False), name="household_by_phone"),
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
    phone = EncryptedTextField(aad="person_no", mask="phone", null=True)
    phone_key = models.BigIntegerField(null=True)  # Keyring.phone_key of it

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
            models.Index(fields=["phone_key"], condition=Q(phone_key__isnull=False), name="person_by_phone"),
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
        indexes = [
            # Who left, in the order his list is read in; the day is gone once he is erased.
            models.Index(
                fields=["village_code", "person_no", "left_on"],
                condition=Q(latest=True, left_on__isnull=False),
                name="membership_left_by_village",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_no} in {self.household_no}"

    @property
    def in_household(self) -> bool:
        return self.member_status in IN_HOUSEHOLD


class HouseholdYear(ScopedModel):
    """What was true of a household in one reporting year: standing, income, dwelling, land (domain.md §4.4, §4.5).

    Money is in fen, areas in hundredths of a mu or of a square metre, distances in hundredths of a
    kilometre. Where the parts of transfer or property income are known, the whole is their sum.
    """

    household_no = models.IntegerField()
    year = models.PositiveSmallIntegerField()
    village_code = models.CharField(max_length=12)
    household_category = models.CharField(max_length=2, blank=True, default="")  # CL-02, at the end of the year
    poverty_status = models.CharField(max_length=2, blank=True)
    main_cause = models.CharField(max_length=2, blank=True, default="")  # CL-04, at the end of the year
    member_count = models.PositiveSmallIntegerField(null=True)  # at collection: the denominator of per-capita income
    period_start = models.DateField(null=True)  # the twelve months the income is of
    period_end = models.DateField(null=True)
    wage_income = models.BigIntegerField(null=True)
    business_income = models.BigIntegerField(null=True)
    property_income = models.BigIntegerField(null=True)
    asset_dividend = models.BigIntegerField(null=True)
    land_lease = models.BigIntegerField(null=True)
    other_property_income = models.BigIntegerField(null=True)
    transfer_income = models.BigIntegerField(null=True)
    family_planning_grant = models.BigIntegerField(null=True)
    dibao_grant = models.BigIntegerField(null=True)
    tekun_grant = models.BigIntegerField(null=True)
    pension_income = models.BigIntegerField(null=True)
    eco_compensation = models.BigIntegerField(null=True)
    other_transfer = models.BigIntegerField(null=True)
    business_expense = models.BigIntegerField(null=True)
    claim_income = models.BigIntegerField(null=True)  # insurance claims; the transition period's statement only
    eligible_out_of_pocket = models.BigIntegerField(null=True)
    cropland = models.IntegerField(null=True)
    irrigated = models.IntegerField(null=True)
    forest = models.IntegerField(null=True)
    grain_for_green = models.IntegerField(null=True)
    orchard = models.IntegerField(null=True)
    pasture = models.IntegerField(null=True)
    water_area = models.IntegerField(null=True)
    production_power = models.BooleanField(null=True)
    household_power = models.BooleanField(null=True)
    tv = models.BooleanField(null=True)
    distance_main_road = models.IntegerField(null=True)
    access_road = models.CharField(max_length=2, blank=True, default="")
    dwelling_area = models.IntegerField(null=True)
    house_structure = models.CharField(max_length=2, blank=True, default="")
    dangerous_house = models.BooleanField(null=True)
    danger_grade = models.CharField(max_length=1, blank=True)  # A to D; C and D are dangerous
    water_difficult = models.BooleanField(null=True)
    water_safe = models.BooleanField(null=True)
    fuel = models.CharField(max_length=2, blank=True, default="")
    sanitary_toilet = models.BooleanField(null=True)
    coop_member = models.BooleanField(null=True)
    linked_enterprise = models.BooleanField(null=True)
    linked_leader = models.BooleanField(null=True)

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
        return income.together(self.wage_income, self.business_income, self.property_income, self.transfer_income)

    @property
    def net_income(self) -> int | None:
        """Gross income less what business cost."""
        return income.net(self.gross_income, self.business_expense)

    @property
    def net_income_per_head(self) -> int | None:
        """Per member at collection, in fen, half a fen rounded up (domain.md §4.4)."""
        return income.per_head(self.net_income, self.member_count)

    @property
    def monitoring_income(self) -> int | None:
        """What the monitoring line is held against: net income, claims added, own medical costs taken off."""
        return income.monitored(self.net_income, self.claim_income, self.eligible_out_of_pocket)

    @property
    def monitoring_income_per_head(self) -> int | None:
        """Per member at collection, in fen."""
        return income.per_head(self.monitoring_income, self.member_count)


class PersonYear(ScopedModel):
    """What was true of a person in one reporting year (domain.md §4.3)."""

    person_no = models.IntegerField()
    household_no = models.IntegerField(db_index=True)
    year = models.PositiveSmallIntegerField()
    village_code = models.CharField(max_length=12)
    education = models.CharField(max_length=2, blank=True)  # CL-08
    student_status = models.CharField(max_length=2, blank=True)  # CL-09
    dropout_reason = models.CharField(max_length=2, blank=True, default="")
    labour_capacity = models.CharField(max_length=2, blank=True)  # CL-10
    industry = models.CharField(max_length=2, blank=True, default="")
    work_location = models.CharField(max_length=2, blank=True)  # CL-11
    work_place = models.CharField(max_length=60, blank=True, default="")  # province, city, county, township in words
    work_months = models.PositiveSmallIntegerField(null=True)
    works_abroad = models.BooleanField(null=True)
    employer = models.CharField(max_length=60, blank=True, default="")
    employment_channel = models.CharField(max_length=2, blank=True, default="")
    public_post_type = models.CharField(max_length=2, blank=True, default="")
    public_post_months = models.PositiveSmallIntegerField(null=True)
    health = models.CharField(max_length=11, blank=True)  # CL-12, several: "02,04"
    disease_name = models.CharField(max_length=60, blank=True, default="")
    disease_grade = models.CharField(max_length=20, blank=True, default="")
    disability_type = models.CharField(max_length=1, blank=True, default="")  # as on the certificate, domain.md §3.3
    disability_grade = models.CharField(max_length=1, blank=True, default="")  # 1 is the heaviest
    disability_cert_year = models.PositiveSmallIntegerField(null=True)
    political_status = models.CharField(max_length=2, blank=True, default="")  # GB/T 4762
    active_soldier = models.BooleanField(null=True)
    speaks_mandarin = models.BooleanField(null=True)
    resident_medical_ins = models.BooleanField(null=True)
    employee_medical_ins = models.BooleanField(null=True)
    critical_illness_ins = models.BooleanField(null=True)
    commercial_ins = models.BooleanField(null=True)
    medical_aid = models.BooleanField(null=True)
    other_health_aid = models.BooleanField(null=True)
    resident_pension = models.BooleanField(null=True)
    employee_pension = models.BooleanField(null=True)
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


class Relocation(ScopedModel):
    """The move of a household to a new home (易地扶贫搬迁, domain.md §4.6); one at most."""

    household_no = models.IntegerField(primary_key=True)
    village_code = models.CharField(max_length=12)
    intention = models.BooleanField(null=True)  # whether the household wants to move
    mode = models.CharField(max_length=1, blank=True)
    settlement_type = models.CharField(max_length=1, blank=True)
    settlement_place = models.CharField(max_length=1, blank=True)
    planned_year = models.PositiveSmallIntegerField(null=True)
    moved_in_date = models.DateField(null=True)
    old_house_demolished_date = models.DateField(null=True)
    area = models.IntegerField(null=True)  # hundredths of a square metre
    difficulty = models.CharField(max_length=1, blank=True)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "易地扶贫搬迁"

    def __str__(self) -> str:
        return str(self.household_no)


PLACES = ScopeRule(action="registry.read", area="village_code")


class VillageYear(ScopedModel):
    """What was true of an administrative village in one reporting year (domain.md §4.7).

    Money is in fen, land in hundredths of a mu, lengths in hundredths of a kilometre. How many are
    registered is not kept here: it is counted.
    """

    village_code = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField()
    village_no = models.CharField(max_length=20, blank=True)
    is_poor_village = models.BooleanField(null=True)
    poor_type = models.CharField(max_length=8, blank=True)  # several: "02,03"
    exit_year = models.PositiveSmallIntegerField(null=True)
    topography = models.CharField(max_length=2, blank=True)
    development_direction = models.CharField(max_length=60, blank=True)
    households = models.PositiveIntegerField(null=True)
    population = models.PositiveIntegerField(null=True)
    dibao_persons = models.PositiveIntegerField(null=True)
    tekun_persons = models.PositiveIntegerField(null=True)
    labour_force = models.PositiveIntegerField(null=True)
    migrant_workers = models.PositiveIntegerField(null=True)
    disabled_persons = models.PositiveIntegerField(null=True)
    cropland = models.IntegerField(null=True)
    forest = models.IntegerField(null=True)
    paved_road_to_township = models.BooleanField(null=True)
    unpaved_road = models.IntegerField(null=True)
    hamlets_without_road = models.PositiveIntegerField(null=True)
    hamlet_road_missing = models.IntegerField(null=True)
    bus = models.BooleanField(null=True)
    households_without_safe_water = models.PositiveIntegerField(null=True)
    households_with_difficult_water = models.PositiveIntegerField(null=True)
    hamlets_without_production_power = models.PositiveIntegerField(null=True)
    dangerous_houses = models.PositiveIntegerField(null=True)
    clinics = models.PositiveIntegerField(null=True)
    licensed_doctors = models.PositiveIntegerField(null=True)
    public_toilets = models.PositiveIntegerField(null=True)
    rubbish_points = models.PositiveIntegerField(null=True)
    library = models.BooleanField(null=True)
    broadband = models.BooleanField(null=True)
    cooperatives = models.PositiveIntegerField(null=True)
    coop_poor_households = models.PositiveIntegerField(null=True)
    collective_income = models.BigIntegerField(null=True)
    collective_income_source = models.CharField(max_length=60, blank=True)
    medical_enrolled = models.PositiveIntegerField(null=True)
    pension_enrolled = models.PositiveIntegerField(null=True)
    first_secretary = models.CharField(max_length=60, blank=True)
    stationed_unit = models.CharField(max_length=60, blank=True)

    scope_rule: ClassVar[ScopeRule] = PLACES

    class Meta:
        verbose_name = "村年度情况"
        constraints = [
            models.UniqueConstraint(fields=["village_code", "year"], name="village_year_once"),
        ]

    def __str__(self) -> str:
        return f"{self.village_code} {self.year}"


class HamletYear(ScopedModel):
    """What was true of a hamlet (自然屯) in one reporting year (domain.md §4.7). Lengths in hundredths of a km."""

    hamlet_code = models.CharField(max_length=15)  # the village's code and three digits
    year = models.PositiveSmallIntegerField()
    village_code = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    households = models.PositiveIntegerField(null=True)
    population = models.PositiveIntegerField(null=True)
    access_road = models.CharField(max_length=2, blank=True)
    road_length = models.IntegerField(null=True)
    water_source = models.CharField(max_length=60, blank=True)
    production_power = models.BooleanField(null=True)
    broadband = models.BooleanField(null=True)

    scope_rule: ClassVar[ScopeRule] = PLACES

    class Meta:
        verbose_name = "屯年度情况"
        constraints = [
            models.UniqueConstraint(fields=["hamlet_code", "year"], name="hamlet_year_once"),
            models.UniqueConstraint(fields=["village_code", "year", "name"], name="hamlet_name_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hamlet_code} {self.year}"

    @property
    def twenty_households(self) -> bool | None:
        """Whether it has twenty households or more, from which size a road is owed to it (domain.md §5.4)."""
        return None if self.households is None else self.households >= 20  # noqa: PLR2004 - the statute's own word


class NameToken(models.Model):
    """A text by whose beginning a name is found; `spelling` says which those are.

    It is a dictionary of names, without people and without places: whoever searches is shown only the
    people he may reach who bear one of the names found. A name is in it as soon as somebody is called
    so; one nobody bears any more stays until the next night.
    """

    token = models.CharField(max_length=60)
    name_match = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token", "name_match"],
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
                name="nametoken_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.token} → {self.name_match}"


class ReportingYear(models.Model):
    """A reporting year and what became of it (domain.md §4.1). The facts of the open one are in the database.

    A sealed year is `address` in the lake with the index `serving` beside it; `digest` covers the
    sealed files and stands in the audit log under `event_id`.
    """

    year = models.PositiveSmallIntegerField(primary_key=True)
    state = models.CharField(max_length=10, choices=YearState.choices)
    opened_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    sealed_by = models.BigIntegerField(null=True)  # 0: a system viewer
    event_id = models.UUIDField(null=True)
    address = models.CharField(max_length=80, blank=True)
    serving = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    households = models.PositiveIntegerField(null=True)  # with a record of the year
    persons = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name = "报告年度"
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=YearState.OPEN), name="reporting_year_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(state=YearState.SEALED) | Q(sealed_at__isnull=False, event_id__isnull=False),
                name="reporting_year_sealed_by_an_act",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.state}"

    @property
    def is_sealed(self) -> bool:
        return self.state == YearState.SEALED


class YearCorrection(ScopedModel):
    """One value of a sealed year as it is known now; the sealed files stay as they were published.

    Append-only: of several for one value the latest counts. `village_code` is where the year's own
    record lies, which decides who sees it, as it does for the record.
    """

    year = models.PositiveSmallIntegerField()
    household_no = models.IntegerField(null=True)  # none for a fact of a village or hamlet
    person_no = models.IntegerField(null=True)  # none for a fact of the household
    village_code = models.CharField(max_length=12)
    hamlet_code = models.CharField(max_length=15, blank=True, default="")  # of a hamlet
    field = models.CharField(max_length=40)
    old = models.CharField(max_length=200, blank=True)
    new = models.CharField(max_length=200, blank=True)
    decided_on = models.DateField()
    event_id = models.UUIDField()

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "封存年度更正"
        indexes = [
            models.Index(fields=["household_no", "year"], name="year_correction_by_household"),
            models.Index(
                fields=["village_code", "year"], condition=Q(household_no=None), name="year_correction_by_village"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.household_no or self.hamlet_code or self.village_code} {self.year} {self.field}"


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
    under its own `salt`. Append-only. Of a row about somebody erased only the `digest` is left, and
    when it was written by whom.
    """

    event_id = models.UUIDField()
    seq = models.PositiveIntegerField()
    village_code = models.CharField(max_length=12)
    household_no = models.IntegerField(null=True)  # none for a fact of a village or hamlet
    person_no = models.IntegerField(null=True)
    hamlet_code = models.CharField(max_length=15, blank=True, default="")  # of a hamlet
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
    digest = models.BinaryField(null=True, max_length=32)  # of an erased row, which has no salt

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


class ChangeRequest(ScopedModel):
    """A correction that waits for a township or a county, or did.

    Who proposes, who reviews and who approves are different people (domain.md §16.3). Of a sealed year
    `village_code` is where its record lies.
    """

    household_no = models.IntegerField(db_index=True)
    year = models.PositiveSmallIntegerField(null=True)  # the sealed year it is of; none: what stands now
    village_code = models.CharField(max_length=12)
    reason = models.CharField(max_length=200)
    levels = models.PositiveSmallIntegerField()  # how many levels look at it: 1 the township, 2 the county as well
    state = models.CharField(max_length=10, choices=RequestState.choices)
    proposed_by = models.BigIntegerField(db_index=True)
    proposed_at = models.DateTimeField()
    reviewed_by = models.BigIntegerField(null=True)  # the township's reviewer
    reviewed_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)  # whoever ended it
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)
    event_id = models.UUIDField(null=True)  # of the correction it became

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "变更申请"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="withdrawn") | Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="changerequest_not_decided_by_who_proposed",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("proposed_by")),
                name="changerequest_not_reviewed_by_who_proposed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["village_code", "id"],
                condition=Q(state__in=[state.value for state in OPEN_REQUESTS]),
                name="changerequest_open_by_village",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.household_no}"


class ChangeRequestItem(ScopedModel):
    """One field of a change request: what was seen, what is wanted. Protected values stand sealed."""

    request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="items")
    village_code = models.CharField(max_length=12)
    household_no = models.IntegerField()
    person_no = models.IntegerField(null=True)
    field = models.CharField(max_length=40)
    base = models.CharField(max_length=200, blank=True)
    wanted = models.CharField(max_length=200, blank=True)
    base_sealed = EncryptedTextField(aad="request_id", null=True)
    wanted_sealed = EncryptedTextField(aad="request_id", null=True)
    state = models.CharField(max_length=10, choices=ItemState.choices, default=ItemState.WAITING)

    scope_rule: ClassVar[ScopeRule] = SCOPE

    class Meta:
        verbose_name = "变更申请项"
        constraints = [
            models.UniqueConstraint(
                fields=["request", "field"], condition=Q(person_no=None), name="changerequestitem_once_of_household"
            ),
            models.UniqueConstraint(fields=["request", "field", "person_no"], name="changerequestitem_once_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.field}"


class Erasure(ScopedModel):
    """That somebody who left long ago be forgotten (PIPL art. 47): asked by one person, decided by another.

    Done, it is the tombstone: that the number was somebody's, and the day he was erased.
    """

    person_no = models.IntegerField(db_index=True)
    household_no = models.IntegerField(db_index=True)
    village_code = models.CharField(max_length=12)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=ErasureState.choices)
    asked_by = models.BigIntegerField()
    asked_at = models.DateTimeField()
    decided_by = models.BigIntegerField(null=True)  # whoever ended it
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)
    whole_household = models.BooleanField(default=False)  # he was the last of it, and its own data went with him
    event_id = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)  # when nothing of him was left in the lake either

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="registry.erase", area="village_code")

    class Meta:
        verbose_name = "到期删除"
        constraints = [
            models.UniqueConstraint(
                fields=["person_no"], condition=Q(state__in=["asked", "erased"]), name="erasure_once_of_a_person"
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn") | Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                name="erasure_not_decided_by_who_asked",
            ),
            models.CheckConstraint(
                condition=Q(state="erased", event_id__isnull=False) | ~Q(state="erased") & Q(finished_at=None),
                name="erasure_is_an_act_and_then_finished",
            ),
        ]
        indexes = [
            models.Index(fields=["village_code", "id"], condition=Q(state="asked"), name="erasure_open_by_village"),
            models.Index(fields=["id"], condition=Q(state="erased", finished_at=None), name="erasure_unfinished"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.person_no}"

    def get_absolute_url(self) -> str:
        return reverse("registry:erasure", args=[self.pk])


class SheetImport(ScopedModel):
    """The two national sheets (or one) somebody brings, how they were read, and what was decided.

    `area` is what they may speak of: rows of elsewhere are refused one by one. `preview` holds what
    the page shows, personal values masked; `terms` what its sender says of rows the sheets say
    nothing of. The files lie encrypted in the lake.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="registry.write", area="area")

    area = models.CharField(max_length=12)
    year = models.PositiveSmallIntegerField(null=True)  # none until the sheets are read and say which
    mode = models.CharField(max_length=10, choices=ImportMode.choices)
    status = models.CharField(max_length=12, choices=ImportStatus.choices)
    terms = models.JSONField(default=dict)
    preview = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)  # keyed, of what was previewed: the same is applied or nothing
    refusal = models.JSONField(default=dict)  # code, what and cure in both languages, when unreadable
    event_id = models.UUIDField(null=True)  # the act that took it in
    brought_by = models.BigIntegerField()
    brought_at = models.DateTimeField()
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    job_id = models.BigIntegerField(null=True)  # under way

    class Meta:
        verbose_name = "表格导入"
        indexes = [models.Index(fields=["area", "-id"], name="import_by_area")]

    def __str__(self) -> str:
        return f"import {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("registry:import", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.status in (ImportStatus.WAITING, ImportStatus.RECEIVED, ImportStatus.PREVIEWED)

    @property
    def kept(self) -> str:
        """The lake's address of what was wrong with which row."""
        return f"sheets/problems={self.pk}"


class SheetFile(ScopedModel):
    """One file of an import. accepted + known + rejected + non_data are its lines once it is read."""

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="registry.write", area="area")

    of = models.ForeignKey(SheetImport, models.CASCADE, related_name="files")
    area = models.CharField(max_length=12)
    mode = models.CharField(max_length=10, choices=ImportMode.choices)
    sheet = models.CharField(max_length=10, choices=SheetKind.choices)
    file_name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)  # keyed: tells equal files, and nothing to who lacks the key
    file_bytes = models.BigIntegerField()
    raw = models.CharField(max_length=200, unique=True)
    brought_by = models.BigIntegerField()  # not always who brought the import's other file
    brought_at = models.DateTimeField()
    counts = models.BooleanField(default=True)  # until its import is cancelled or found unreadable
    lines = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    known = models.IntegerField(default=0)  # registered already, nothing to be done
    rejected = models.IntegerField(default=0)
    non_data = models.IntegerField(default=0)
    layout = models.JSONField(default=dict)  # header, delimiter, sheets: what a reject sheet needs
    removed_on = models.DateField(null=True)  # the file itself, when the days it is kept were over

    class Meta:
        verbose_name = "导入的表格"
        constraints = [
            models.UniqueConstraint(
                fields=["mode", "file_hash"], condition=Q(counts=True), name="sheet_is_taken_in_once_in_each_way"
            ),
            models.UniqueConstraint(fields=["of", "sheet"], name="sheet_once_in_an_import"),
            models.CheckConstraint(
                condition=Q(lines=F("accepted") + F("known") + F("rejected") + F("non_data")),
                name="sheet_accounts_for_every_line",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} of import {self.of_id}"
