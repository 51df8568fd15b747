"""Who helps which household: the pairing of contacts (帮扶联系人) with households (domain.md §11.1)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from wanjia.scope.models import Held, ScopedModel, ScopeRule
from wanjia.scope.viewer import Relation


class Pairing(ScopedModel):
    """A contact answers for a household, for a time. Ended, never deleted.

    Each pairing stands beside a `scope.Holding` of the same validity, by which the contact
    sees the household.
    """

    user_id = models.BigIntegerField()
    household_no = models.IntegerField()
    village_code = models.CharField(max_length=12)  # the household's
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # first day on which it no longer holds
    event_id = models.UUIDField()  # the act that made it, of which it is detail number `seq`
    seq = models.PositiveIntegerField()
    salt = models.BinaryField(max_length=16)
    paired_by = models.BigIntegerField()
    ended_by = models.BigIntegerField(null=True)
    end_reason = models.CharField(max_length=200, blank=True)

    scope_rule: ClassVar[ScopeRule] = ScopeRule(
        action="workforce.read",
        area="village_code",
        held={Relation.OWN_HOUSEHOLDS: Held("household", "household_no")},
    )

    class Meta:
        verbose_name = "结对帮扶"
        constraints = [
            models.UniqueConstraint(fields=["event_id", "seq"], name="pairing_once_per_event_and_place"),
            models.UniqueConstraint(
                fields=["user_id", "household_no"], condition=Q(valid_to=None), name="pairing_open_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="pairing_ends_after_it_begins"
            ),
        ]
        indexes = [
            models.Index(fields=["household_no", "-valid_from"], name="pairing_by_household"),
            models.Index(fields=["village_code"], name="pairing_by_village"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} helps {self.household_no}"
