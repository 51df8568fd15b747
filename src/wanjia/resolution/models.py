from __future__ import annotations

from typing import ClassVar

from django.db import models

from wanjia.scope.models import ScopedModel, ScopeRule


class Resolution(ScopedModel):
    """Whose records a batch holds, judged against one snapshot of the registry.

    The rows are in the lake at `address`; here stand the counts. `records` = `matched_records` +
    `unmatched`; `matched` counts rows of matched.parquet, which are more where a number stands in
    the registry for several persons (`ambiguous` records).
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule("sources.read", area="area", department="department")

    batch = models.BigIntegerField()
    snapshot = models.BigIntegerField()
    dataset = models.CharField(max_length=80)
    department = models.CharField(max_length=40)
    area = models.CharField(max_length=15)
    based_on = models.BigIntegerField(null=True)  # the resolution it was brought forward from, if not made afresh
    records = models.IntegerField()
    matched = models.IntegerField()
    matched_records = models.IntegerField()
    unmatched = models.IntegerField()
    ambiguous = models.IntegerField()
    name_differs = models.IntegerField()
    by_method = models.JSONField(default=dict)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "snapshot"], name="resolution_one_per_batch_and_snapshot"),
            models.CheckConstraint(
                condition=models.Q(records=models.F("matched_records") + models.F("unmatched")),
                name="resolution_accounts_for_every_record",
            ),
        ]
        indexes = [models.Index(fields=["area", "-id"], name="resolution_by_area")]

    def __str__(self) -> str:
        return f"batch {self.batch} against snapshot {self.snapshot}"

    @property
    def address(self) -> str:
        """The lake's address of matched.parquet and unmatched.parquet."""
        return address_of(self.dataset, self.batch, self.snapshot)


def address_of(dataset: str, batch: int, snapshot: int) -> str:
    """Where the lake keeps the resolution of a batch against a snapshot."""
    return f"resolved/{dataset}/batch={batch},snapshot={snapshot}"
