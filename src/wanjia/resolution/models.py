from django.db import models
from django.db.models import F, Q


class Resolution(models.Model):
    """One batch resolved against one snapshot of the registry.

    A public fact about two immutable datasets: counts and addresses, no person. `matched` and
    `unmatched` count records and together are the batch; `matches` counts rows of the matched
    file, more where several registered people hold one number.
    """

    batch_id = models.BigIntegerField()
    dataset = models.CharField(max_length=80)
    snapshot = models.CharField(max_length=64)
    address = models.CharField(max_length=200, unique=True)
    matched = models.IntegerField()
    unmatched = models.IntegerField()
    matches = models.IntegerField()
    name_differs = models.IntegerField()  # matched records under whose number nobody has that name
    ambiguous = models.IntegerField()  # matched records with several people left
    resolved_by = models.BigIntegerField()
    resolved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch_id", "snapshot"], name="resolution_once_per_batch_and_snapshot"),
            models.CheckConstraint(
                condition=Q(name_differs__lte=F("matched")), name="resolution_differing_names_are_matched"
            ),
            models.CheckConstraint(condition=Q(ambiguous__lte=F("matched")), name="resolution_ambiguous_are_matched"),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def records(self) -> int:
        """The records of the batch."""
        return self.matched + self.unmatched

    @property
    def share(self) -> float:
        """The part of the records that are about registered people, from 0 to 1."""
        return self.matched / self.records if self.records else 0.0
