"""The outbox the log will be built from, and the private openings of its entries.

Shapes as in the log's design: a sequencer takes outbox rows by presence, gives them their index
in the tree and deletes them here; the opening (salt and payload) stays, and may be erased while
the entry still verifies. Both tables are append-only; triggers refuse everything else.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from wanjia.scope.models import ScopedModel, ScopeRule

LARGEST_ENTRY = 65_535  # tlog-tiles writes an entry's length as uint16


class Outbox(models.Model):
    """An entry waiting to be ordered into the log; written in the transaction of its act."""

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    entry = models.BinaryField()

    class Meta:
        db_table = "log_outbox"
        verbose_name = "待入链记录"
        constraints = [
            models.CheckConstraint(
                condition=Q(GreaterThan(Length("entry"), 0)) & Q(LessThanOrEqual(Length("entry"), LARGEST_ENTRY)),
                name="log_outbox_entry_fits_a_tile",
            )
        ]

    def __str__(self) -> str:
        return str(self.event_id)


class Opening(ScopedModel):
    """What an entry commits to: who did what to which subject, with the salt.

    `payload` is the evidence. The columns beside it repeat parts of it so that the trail of a
    subject or a person can be found; nothing is ever proven from them. After an erasure salt and
    payload are NULL and `erased_at` is set; the entry's digest stays in the log.
    """

    id = models.BigAutoField(primary_key=True)  # the installation's own order of writing
    event_id = models.UUIDField(unique=True)
    salt = models.BinaryField(null=True)
    payload = models.JSONField(null=True)
    erased_at = models.DateTimeField(null=True)

    at = models.DateTimeField()
    kind = models.CharField(max_length=20)
    act = models.CharField(max_length=80)
    area = models.CharField(max_length=15, blank=True)
    actor_id = models.BigIntegerField()  # 0 for named background work
    actor_system = models.CharField(max_length=80, blank=True)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.BigIntegerField(null=True)

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="audit.read", area="area")

    class Meta:
        db_table = "log_opening"
        verbose_name = "存证记录"
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="log_opening_by_subject"),
            models.Index(fields=["actor_id", "-id"], name="log_opening_by_actor"),
            models.Index(fields=["area", "-id"], name="log_opening_by_area"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(salt__isnull=False, payload__isnull=False, erased_at__isnull=True)
                | Q(salt__isnull=True, payload__isnull=True, erased_at__isnull=False),
                name="log_opening_is_whole_or_erased",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind="", subject_id__isnull=True)
                | ~Q(subject_kind="") & Q(subject_id__isnull=False),
                name="log_opening_subject_has_kind_and_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.event_id}"

    @property
    def content(self) -> dict[str, Any]:
        """What the act says of itself; empty once erased."""
        content: dict[str, Any] = (self.payload or {}).get("content", {})
        return content
