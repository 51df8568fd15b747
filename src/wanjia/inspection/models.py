"""Samples an auditor drew: what from, with which seed, and which cases came out."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

from django.db import models

from wanjia.scope.models import ScopedManager, ScopedModel, ScopeRule
from wanjia.scope.viewer import Viewer

LONGEST_SEED = 200


class SampleIsDrawn(TypeError):
    """The program tried to change a draw; a fault of the program, never of a user."""


class SampleManager(ScopedManager["Sample"]):
    """A draw is its auditor's own, as long as he may draw in its area."""

    def visible_to(self, viewer: Viewer, action: str | None = None) -> models.QuerySet[Sample]:
        return super().visible_to(viewer, action).filter(drawn_by=viewer.user_id)


class Sample(ScopedModel):
    """One draw; never changed. `population` are all case numbers at that moment, `numbers` those drawn, in order.

    `population_digest` is SHA-256 over the numbers in ascending order, one to a line, each line
    ended by LF; it stands in the audit entry `event_id` with the seed.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="audit.sample", area="area")

    drawn_by = models.BigIntegerField()
    drawn_at = models.DateTimeField()
    area = models.CharField(max_length=15)
    conditions = models.JSONField()
    seed = models.CharField(max_length=LONGEST_SEED)
    size = models.PositiveIntegerField()
    population_count = models.PositiveIntegerField()
    population_digest = models.CharField(max_length=64)
    population = models.BinaryField()
    numbers = models.JSONField()
    event_id = models.UUIDField(unique=True)

    objects: ClassVar[SampleManager] = SampleManager()

    class Meta:
        verbose_name = "审计样本"
        indexes = [models.Index(fields=["drawn_by", "-id"], name="sample_by_auditor")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size__gte=1, size__lte=models.F("population_count")),
                name="sample_is_part_of_its_population",
            )
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.seed}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise SampleIsDrawn("a draw is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise SampleIsDrawn("a draw is never deleted")

    def lines(self) -> Iterator[bytes]:
        """The population as its digest was taken over it, a piece at a time."""
        unpacker = zlib.decompressobj()
        waiting = bytes(self.population)
        while waiting:
            yield unpacker.decompress(waiting, PIECE)
            waiting = unpacker.unconsumed_tail
        yield unpacker.flush()

    def everybody(self) -> Iterator[int]:
        """The numbers of the population, ascending."""
        rest = b""
        for piece in self.lines():
            *whole, rest = (rest + piece).split(b"\n")
            yield from map(int, whole)


PIECE = 64 * 1024
LONGEST_ANSWER = 200


class BulkReading(ScopedModel):
    """Somebody read of unusually many people in a short time, on one machine (domain.md §16.4).

    `first_row` and `last_row` are the first and the last of his rows in the readings' store of
    `node`; while nobody has answered, what he goes on reading is added. `subjects` are different
    people, households, cases or files.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="audit.read", area="area")

    node = models.CharField(max_length=255)
    first_row = models.BigIntegerField()
    last_row = models.BigIntegerField()
    reader = models.BigIntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    subjects = models.PositiveIntegerField()
    area = models.CharField(max_length=15, blank=True)
    raised_at = models.DateTimeField()
    answered_by = models.BigIntegerField(null=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=LONGEST_ANSWER, blank=True)

    class Meta:
        verbose_name = "批量查阅预警"
        indexes = [
            models.Index(fields=["node", "reader", "-last_row"], name="bulkreading_by_reader"),
            models.Index(fields=["area", "-id"], name="bulkreading_by_area"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["node", "reader", "first_row"], name="bulkreading_once"),
            models.CheckConstraint(
                condition=models.Q(answered_by=None, answered_at=None, answer="")
                | models.Q(answered_by__isnull=False, answered_at__isnull=False) & ~models.Q(answer=""),
                name="bulkreading_answered_by_somebody_with_words",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_by=None) | ~models.Q(answered_by=models.F("reader")),
                name="bulkreading_answered_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.reader}"
