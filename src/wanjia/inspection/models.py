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
