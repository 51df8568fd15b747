"""Requests to take a long list away, and what a second person said to each (domain.md §16.4)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from wanjia.exports.choices import State
from wanjia.scope.models import ScopedManager, ScopedModel, ScopeRule
from wanjia.scope.reach import stamped
from wanjia.scope.viewer import Viewer

LONGEST_QUERY = 500  # characters of an address
LONGEST_REASON = 200


class ExportRequestManager(ScopedManager["ExportRequest"]):
    """A request is seen by those who may decide about it in its area, and by whoever made it."""

    def own(self, viewer: Viewer) -> models.QuerySet[ExportRequest]:
        """What the viewer asked for himself."""
        return stamped(self._rows().filter(asked_by=viewer.user_id), viewer)


class ExportRequest(ScopedModel):
    """One list, one filter, one count, one download."""

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="exports.approve", area="area")

    listing = models.CharField(max_length=20)  # the code of a `lists.ExportableList`
    query = models.CharField(max_length=LONGEST_QUERY)  # the filter as an address says it
    area = models.CharField(max_length=15, db_index=True)
    expected = models.PositiveIntegerField()  # rows
    reason = models.CharField(max_length=LONGEST_REASON)
    asked_by = models.BigIntegerField(db_index=True)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=LONGEST_REASON, blank=True)
    expires_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)

    objects: ClassVar[ExportRequestManager] = ExportRequestManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("asked_by")), name="exportrequest_by_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "fetched"]) | Q(decided_by__isnull=False, expires_at__isnull=False),
                name="exportrequest_approved_by_somebody_for_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.listing}"
