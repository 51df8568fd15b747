from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from wanjia.kernel.errors import Sentence
from wanjia.scope.models import ScopedModel, ScopeRule
from wanjia.sources.choices import OVER, BatchStatus, DeliveryMode


class Batch(ScopedModel):
    """One file a department delivered, how it was read, and what was decided about it.

    `area` is what the delivery covers, `named_area` the place its file's name or title speaks of, if
    they do; `raw` the lake's address of the sender's file, encrypted; `lines` are physical lines, and
    accepted + rejected + non_data equals them. `warned` rows are accepted ones. `preview` holds what
    the page shows, with personal values masked.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule("sources.read", area="area", department="department")

    department = models.CharField(max_length=40)
    dataset = models.CharField(max_length=80)
    contract_version = models.CharField(max_length=16)
    area = models.CharField(max_length=15)
    named_area = models.CharField(max_length=15, blank=True)
    delivery_mode = models.CharField(max_length=10, choices=DeliveryMode.choices)
    as_of = models.DateField(null=True)  # the day the department's data speaks of, if the file says so
    period_from = models.DateField(null=True)  # what a delivery by period holds the events of
    period_to = models.DateField(null=True)

    file_name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)  # keyed: tells equal files, and nothing to who lacks the key
    file_bytes = models.BigIntegerField()
    raw = models.CharField(max_length=200, unique=True)

    status = models.CharField(max_length=12, choices=BatchStatus.choices, default=BatchStatus.RECEIVED)
    lines = models.IntegerField(default=0)
    accepted = models.IntegerField(default=0)
    warned = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    non_data = models.IntegerField(default=0)
    preview = models.JSONField(default=dict)
    proposal = models.JSONField(default=dict)  # of the columns, while nobody has said what they are; values masked
    mapping = models.ForeignKey("ColumnMapping", models.PROTECT, null=True, related_name="+")
    figures = models.JSONField(default=dict)  # what the guards compare: rows, keys, valid numbers, newest days
    holds = models.JSONField(default=list)  # why it is held: guard and facts
    refusal = models.JSONField(default=dict)  # code, what and cure in both languages, when unreadable

    received_by = models.BigIntegerField()
    received_at = models.DateTimeField()
    decided_by = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=500, blank=True)
    let_go_by = models.BigIntegerField(null=True)  # who let a held delivery go on, and why
    let_go_at = models.DateTimeField(null=True)
    let_go_reason = models.CharField(max_length=500, blank=True)
    withdrawn_by = models.BigIntegerField(null=True)  # who let an accepted delivery count no longer, and why
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)
    job_id = models.BigIntegerField(null=True)  # the reading under way

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "file_hash"],
                condition=~Q(status__in=[state.value for state in OVER]),
                name="batch_of_one_file_is_taken_in_once",
            ),
            models.CheckConstraint(
                condition=Q(lines=F("accepted") + F("rejected") + F("non_data")),
                name="batch_accounts_for_every_line",
            ),
            models.CheckConstraint(
                condition=Q(
                    delivery_mode=DeliveryMode.PERIOD, period_from__isnull=False, period_to__gte=F("period_from")
                )
                | ~Q(delivery_mode=DeliveryMode.PERIOD) & Q(period_from__isnull=True, period_to__isnull=True),
                name="batch_by_period_states_its_period",
            ),
            models.CheckConstraint(condition=Q(warned__lte=F("accepted")), name="batch_warned_rows_are_accepted"),
            models.CheckConstraint(
                condition=Q(status=BatchStatus.WITHDRAWN, withdrawn_at__isnull=False)
                | ~Q(status=BatchStatus.WITHDRAWN) & Q(withdrawn_at=None),
                name="batch_withdrawn_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["area", "-id"], name="batch_by_area"),
            models.Index(fields=["dataset", "status", "-id"], name="batch_by_dataset"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} batch {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("sources:batch", args=[self.pk])

    @property
    def typed(self) -> str:
        """The lake's address of the rows as read; to be used only once the batch is accepted."""
        return f"sources/{self.dataset}/batch={self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.status in (BatchStatus.RECEIVED, BatchStatus.MAPPING, BatchStatus.PREVIEWED, BatchStatus.HELD)

    def refusal_sentences(self, language: str) -> tuple[str, str]:
        """Why the file could not be read and what to do; empty when it could."""
        if not self.refusal:
            return "", ""
        return tuple(Sentence(**self.refusal[part]).text(language) for part in ("what", "cure"))  # type: ignore[return-value]


class ColumnMapping(ScopedModel):
    """What a person said the columns of files with one header are, and from when to when it holds.

    `layout` is the header's fingerprint, `header` its names as they are shown, `columns` the field
    of each (empty: not kept). It serves files of the same dataset for `area` and what lies in it.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule("sources.read", area="area", department="department")

    department = models.CharField(max_length=40)
    dataset = models.CharField(max_length=80)
    area = models.CharField(max_length=15)
    layout = models.CharField(max_length=64)
    header = models.JSONField()
    columns = models.JSONField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # the last day
    made_by = models.BigIntegerField()
    made_at = models.DateTimeField()
    ended_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "area", "layout"],
                condition=Q(ended_at=None),
                name="mapping_in_force_is_one_per_layout",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="mapping_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["dataset", "layout"], name="mapping_by_layout")]

    def __str__(self) -> str:
        return f"{self.dataset} mapping {self.pk}"
