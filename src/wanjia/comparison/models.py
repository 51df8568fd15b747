"""Runs and what the province decided about their findings. Findings themselves stay in the lake."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from wanjia.casework.choices import Alarm
from wanjia.comparison.choices import Decision, DepartmentAnswer, FeedbackState, RunStatus
from wanjia.kernel import clock
from wanjia.scope.models import ScopedModel, ScopeRule
from wanjia.ui.addresses import address


class Run(models.Model):
    """One comparison: pinned inputs, and what came out of them.

    Inputs are pinned when the run is asked for, so a run that is interrupted and taken up
    again computes the same findings. The row speaks of no household and no person; its findings
    do, and are cut to the viewer by `queries`.
    """

    region = models.CharField(max_length=12)
    as_of = models.DateField()  # the day on which rules and parameters must be in force
    snapshot = models.CharField(max_length=64)
    snapshot_content = models.CharField(max_length=64)  # digest over its files
    batches = models.JSONField()  # [{dataset, batch, area, address, content}], oldest first
    rules = models.JSONField()  # [the rule as it ran: version, sentences, parameters, SQL], ordered by id
    status = models.CharField(max_length=12, choices=RunStatus.choices, default=RunStatus.REQUESTED)
    digest = models.CharField(max_length=64, blank=True)
    finding_count = models.PositiveIntegerField(null=True)
    counts = models.JSONField(default=dict)  # rule → {findings, people, permille}
    compared = models.PositiveIntegerField(null=True)  # registered people where the batches say something
    held_for = models.JSONField(default=list)  # [{rule, permille, allowed}] while somebody must look
    job_id = models.BigIntegerField(null=True)
    requested_by = models.BigIntegerField()
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    decided_by = models.BigIntegerField(null=True)  # who released or discarded a held run
    decision_note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status=RunStatus.REQUESTED) | (Q(finished_at__isnull=False) & ~Q(digest="")),
                name="run_finished_has_a_digest",
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("requested_at")),
                name="run_finishes_after_it_is_requested",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} ({self.status})"


class Screening(ScopedModel):
    """The decision about one finding of a run, made once."""

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="comparison.read", area="village_code")

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="screenings", db_index=False)
    finding_no = models.PositiveIntegerField()
    village_code = models.CharField(max_length=15, db_index=True)
    rule = models.CharField(max_length=20)
    person_no = models.BigIntegerField()
    evidence_hash = models.CharField(max_length=64)  # a closed suspect returns only when this changed
    decision = models.CharField(max_length=10, choices=Decision.choices)
    case_no = models.BigIntegerField(null=True)
    decided_by = models.BigIntegerField()
    decided_at = models.DateTimeField()
    event_id = models.UUIDField()  # the audit entry whose root covers this row, blinded by its salt
    salt = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "finding_no"], name="screening_once_per_finding"),
            models.CheckConstraint(
                condition=~Q(decision=Decision.ISSUED) | Q(case_no__isnull=False),
                name="screening_issued_has_a_case",
            ),
        ]
        indexes = [
            models.Index(fields=["run", "village_code", "rule"], name="screening_by_run_and_village"),  # counted in it
            models.Index(fields=["person_no", "rule"], name="screening_by_person_and_rule"),
            models.Index(fields=["case_no"], name="screening_by_case"),
            models.Index(fields=["event_id"], name="screening_by_event"),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} finding {self.finding_no}: {self.decision}"

    def payload(self) -> dict[str, Any]:
        """What the audit commits to for this row."""
        return {
            "run": self.run_id,
            "finding_no": self.finding_no,
            "village": self.village_code,
            "rule": self.rule,
            "person_no": self.person_no,
            "evidence_hash": self.evidence_hash,
            "decision": str(self.decision),
            "case_no": self.case_no,
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.astimezone(UTC).isoformat(),
        }


class Feedback(ScopedModel):
    """What a department is told of its own record once the county decided that it is wrong (domain.md §6.1, 06–08).

    It stands beside the case, whose way to its close it does not hold up. `found` is what the
    verifier wrote; `findings` name the records, by their numbers in `run`. The department answers
    until `due_on`, late answers count. `alarm` is what the clock has said so far, `raised_to` the area
    whose data office answers for the silence. `version` guards against two people answering at once.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="sources.read", area="area_code", department="department")

    case_no = models.BigIntegerField()
    department = models.CharField(max_length=40)
    dataset = models.CharField(max_length=80)
    rule = models.CharField(max_length=20)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", null=True)
    findings = models.JSONField(default=list)
    person_no = models.BigIntegerField(null=True)
    area_code = models.CharField(max_length=15)
    outcome = models.CharField(max_length=10)
    found = models.TextField(blank=True)
    given_by = models.BigIntegerField()
    given_at = models.DateTimeField()
    warn_on = models.DateField()
    due_on = models.DateField()  # last day on which the answer is in time
    alarm = models.CharField(max_length=6, blank=True, default=Alarm.NONE)
    raised_to = models.CharField(max_length=15, blank=True, default="")
    state = models.CharField(max_length=10, choices=FeedbackState.choices, default=FeedbackState.GIVEN)
    answer = models.CharField(max_length=10, choices=DepartmentAnswer.choices, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    answered_by = models.BigIntegerField(null=True)
    answered_at = models.DateTimeField(null=True)
    settled_by = models.BigIntegerField(null=True)  # who stood by the finding, or took it back
    settled_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case_no"], condition=~Q(state=FeedbackState.LIFTED), name="feedback_one_standing_per_case"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="feedback_answer_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(answer=DepartmentAnswer.DISPUTE) | ~Q(reason=""), name="feedback_dispute_has_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state=FeedbackState.GIVEN) | Q(answer=""), name="feedback_given_waits_for_an_answer"
            ),
        ]
        indexes = [
            models.Index(fields=["department", "state", "due_on", "id"], name="feedback_by_department"),
            models.Index(fields=["area_code", "state"], name="feedback_by_area"),
            models.Index(fields=["case_no"], name="feedback_by_case"),
            models.Index(fields=["raised_to"], condition=Q(state=FeedbackState.GIVEN), name="feedback_open_and_raised"),
        ]

    def __str__(self) -> str:
        return f"feedback {self.pk} on case {self.case_no}: {self.state}"

    def get_absolute_url(self) -> str:
        return address("comparison:feedback", self.pk)

    @property
    def is_overdue(self) -> bool:
        """Whether the department has let the deadline pass."""
        return self.state == FeedbackState.GIVEN and self.due_on < clock.today()


class WrongRecord(ScopedModel):
    """A row its department agreed to be wrong, so that a later delivery which still says the same is told.

    `digest` covers the row's values in `columns`, which are those the rule rests on: a row that
    changed in one of them is another record. It counts while its feedback is agreed.
    """

    scope_rule: ClassVar[ScopeRule] = ScopeRule(action="sources.read", area="area_code", department="department")

    feedback = models.ForeignKey(Feedback, on_delete=models.PROTECT, related_name="wrong")
    department = models.CharField(max_length=40)
    dataset = models.CharField(max_length=80)
    area_code = models.CharField(max_length=15)
    batch = models.BigIntegerField()
    source_row = models.PositiveIntegerField()
    person_key = models.BigIntegerField(null=True)
    columns = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["dataset", "area_code"], name="wrongrecord_by_dataset")]

    def __str__(self) -> str:
        return f"{self.dataset} batch {self.batch} row {self.source_row}"
