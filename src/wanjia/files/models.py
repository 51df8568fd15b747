from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from wanjia.scope.models import Held, ScopedModel, ScopeRule
from wanjia.scope.viewer import Relation

CASE = "case"
HOUSEHOLD = "household"


class StoredFile(ScopedModel):
    """A file somebody handed in, for one owner: a case, a household, a batch.

    `content_key` is the keyed digest of the content and the name under which its ciphertext lies;
    equal content is kept once. `name` is ours for evidence; a department's file keeps its own,
    cleaned. `case_no` and `household_no` repeat the owner's number so that holdings reach the row.
    """

    owner_kind = models.CharField(max_length=20)
    owner_id = models.BigIntegerField()
    case_no = models.BigIntegerField(null=True)
    household_no = models.BigIntegerField(null=True)
    area = models.CharField(max_length=15, blank=True)
    department = models.CharField(max_length=40, blank=True)

    purpose = models.CharField(max_length=40)
    name = models.CharField(max_length=160)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()  # of the content, in bytes
    content_key = models.CharField(max_length=64)
    stored_by = models.BigIntegerField()
    stored_at = models.DateTimeField()

    scope_rule: ClassVar[ScopeRule] = ScopeRule(
        action="files.read",
        area="area",
        department="department",
        held={
            Relation.OWN_CASES: Held("case", "case_no"),
            Relation.OWN_HOUSEHOLDS: Held("household", "household_no"),
        },
    )

    class Meta:
        verbose_name = "附件"
        indexes = [
            models.Index(fields=["owner_kind", "owner_id", "id"], name="file_by_owner"),
            models.Index(fields=["content_key"], name="file_by_content"),
            models.Index(fields=["area", "id"], name="file_by_area"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="file_is_not_empty"),
            models.CheckConstraint(
                condition=Q(owner_kind=CASE, case_no=models.F("owner_id"))
                | ~Q(owner_kind=CASE) & Q(case_no__isnull=True),
                name="file_case_is_its_owner",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")
