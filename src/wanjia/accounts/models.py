"""Accounts, roles and grants (domain.md §16.2-16.3). A role is a row of data, never a branch in code."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models import F, Q

from wanjia.scope.fields import EncryptedTextField
from wanjia.scope.models import ScopedModel, ScopeRule, Via
from wanjia.scope.viewer import Relation


class Role(models.Model):
    """What a post may do. Loaded from `data/roles.yaml`, so that policy changes without code.

    `actions` are permission words (`slice.verb`). A grant's relation holds for all of them
    but those named in `narrowed` (action → relation): a village contact reads his households
    but verifies only the cases that are his. `gives` lists the roles a holder may give to
    others; `duty` names the separated administration duty, or nothing.
    """

    code = models.CharField(max_length=40, primary_key=True)
    title_zh = models.CharField(max_length=40)
    title_en = models.CharField(max_length=60)
    level = models.CharField(max_length=10)  # the level the post belongs to
    levels = models.JSONField(default=list)  # levels of areas it may be granted for
    relation = models.CharField(max_length=20)  # the relation a grant has unless it says otherwise
    actions = models.JSONField(default=list)
    narrowed = models.JSONField(default=dict)
    gives = models.JSONField(default=list)
    duty = models.CharField(max_length=10, blank=True)
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.code

    def title(self, language: str) -> str:
        """The role's name in `language`."""
        return self.title_en if language.startswith("en") else self.title_zh


class User(AbstractBaseUser, ScopedModel):
    """One person, one account. He is looked after where his account was opened and where he has grants."""

    username = models.CharField(max_length=60, unique=True)
    display_name = models.CharField(max_length=60)
    area_code = models.CharField(max_length=15, db_index=True)  # whose administrators opened the account
    id_key = models.BigIntegerField(null=True, unique=True)  # person_key of his own number: one person, one account
    phone = EncryptedTextField(aad="username", mask="phone", null=True)
    language = models.CharField(max_length=5, choices=[("zh", "中文"), ("en", "English")], default="zh")
    is_active = models.BooleanField(default=True)
    locked_on = models.DateField(null=True)  # set with is_active off: by hand, or at the end of the post
    opened_on = models.DateField()
    password_set_on = models.DateField()
    former_passwords = models.JSONField(default=list)  # hashes, newest first, so that none of the last five returns

    scope_rule: ClassVar[ScopeRule] = ScopeRule(
        action="accounts.read",
        area=("area_code", Via(model="accounts.GrantRow", key="user", area="area_code")),
    )

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(is_active=True, locked_on=None) | Q(is_active=False, locked_on__isnull=False),
                name="user_is_locked_on_a_day_or_active",
            ),
        ]

    def __str__(self) -> str:
        return self.username


class Deputyship(ScopedModel):
    """Somebody stands in for a colleague of his office and does his cases; it ends by itself.

    What the deputy may do is read from the principal's grants on every request, so it is never more than they are.
    """

    principal = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    deputy = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    area_code = models.CharField(max_length=15, db_index=True)  # the office both belong to
    valid_from = models.DateField()
    valid_to = models.DateField()  # first day on which it no longer holds
    reason = models.CharField(max_length=200)
    named_at = models.DateTimeField()
    ended_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="accounts.read", area="area_code")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(principal=F("deputy")), name="deputyship_is_of_two_people"),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="deputyship_ends_after_it_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.principal_id}"

    @property
    def last_day(self) -> date:
        """The last day on which it holds."""
        return self.valid_to - timedelta(days=1)


class GrantRow(ScopedModel):
    """A role for an account in an area, for a time. Ended, never deleted: who could see what is history."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="grants")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    area_code = models.CharField(max_length=15, db_index=True)
    relation = models.CharField(max_length=20, choices=[(item.value, item.value) for item in Relation])
    department = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # first day on which it no longer holds
    granted_by = models.BigIntegerField()
    ended_by = models.BigIntegerField(null=True)
    first_to = models.DateField(null=True)  # `valid_to` as it was given
    opened_in = models.UUIDField(null=True, db_index=True)  # the bulk opening in whose entry its digest stands
    salt = models.BinaryField(max_length=16, null=True)  # opens that digest

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="accounts.read", area="area_code")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "area_code", "relation", "department"],
                condition=Q(valid_to=None),
                name="grant_one_open_per_user_role_and_area",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="grant_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~Q(relation=Relation.OWN_DEPARTMENT.value) | ~Q(department=""),
                name="grant_of_own_department_names_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id} {self.area_code}"

    def facts(self) -> dict[str, str | int | None]:
        """What the audit entry that gave it says of it."""
        return {
            "account": self.user_id,
            "role": self.role_id,
            "area": self.area_code,
            "relation": self.relation,
            "department": self.department,
            "from": self.valid_from.isoformat(),
            "to": self.first_to.isoformat() if self.first_to else None,
        }

    def in_force(self, on: date) -> bool:
        """Whether it holds on that day."""
        return self.valid_from <= on and (self.valid_to is None or self.valid_to > on)


LONGEST_FILTER_NAME = 30  # characters
LONGEST_FILTER = 500  # characters of an address


class SavedFilter(models.Model):
    """What the address of a list said, kept by one person under a name of his own; it opens no row by itself."""

    user_id = models.BigIntegerField()
    page = models.CharField(max_length=20)  # the code of a `saved.SavableList`
    name = models.CharField(max_length=LONGEST_FILTER_NAME)
    query = models.CharField(max_length=LONGEST_FILTER)  # as in an address, its parts in the order of their names
    saved_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_id", "page", "name"], name="savedfilter_one_per_name"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.page} {self.pk}"
