"""Erasing somebody whose retention is over: asked by one person, decided by another, done in one transaction.

In the database everything personal goes at once: the record, the yearly facts, what changes said,
what the log's openings said of him alone. What the log committed to stays as digests, so it
verifies as before. The lake follows (`forgetting`). Numbers and codes that figures are made of
stay with his number, which is nobody's any more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from wanjia.accounts.deputies import links_of
from wanjia.audit.models import Opening
from wanjia.audit.rules import detail_digest, refuse_identity_numbers
from wanjia.audit.services import JSON, Kind, common_area, erase_openings, record
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.names import match_form
from wanjia.kernel.points import reached
from wanjia.registry.choices import ErasureState
from wanjia.registry.errors import ErasureAsked, ErasureOver, NotYourErasure
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import (
    Change,
    ChangeRequest,
    ChangeRequestItem,
    Erasure,
    Household,
    Membership,
    NameToken,
    Person,
    PersonYear,
    SheetFile,
    SheetImport,
    YearCorrection,
)
from wanjia.registry.payloads import payload_of_change
from wanjia.registry.photos.services import forget_photos
from wanjia.registry.queries import current_person_no
from wanjia.registry.rights.policy import ERASE, FORGETTING, numbers_of, require_erasable
from wanjia.registry.services.rows import locked
from wanjia.registry.services.sheets.keeping import FINISHED
from wanjia.registry.services.writing import checked_reason
from wanjia.scope.bulk import pieces
from wanjia.scope.errors import NotVisible
from wanjia.scope.reach import stamped
from wanjia.scope.viewer import Viewer

FINISHING = "registry.forget"
_TAKEN_OUT: Final = "※"  # where a name stood in a text that is about others too
_NOBODY: Final[dict[str, Any]] = {
    "national_person_no": "", "name": "", "name_match": "", "id_type": "", "id_number": None, "person_key": None,
    "id_valid": False, "sex": "", "birth_date": None, "ethnicity": "", "phone": None, "phone_key": None,
}  # fmt: skip
_NO_HOME: Final[dict[str, Any]] = {
    "national_household_no": "", "hamlet": "", "cause_note": "", "longitude": None, "latitude": None, "phone": None,
    "phone_key": None, "bank_name": "", "bank_account": None,
}  # fmt: skip
_STANDING = (ErasureState.ASKED, ErasureState.ERASED)


@transaction.atomic
def ask(*, viewer: Viewer, person_no: int, reason: str) -> Erasure:
    """Ask for the erasure of somebody whose retention is over. Asks for `registry.erase` where he lived.

    Raises NotVisible, ReasonMissing, IdentityNumberInPayload, StillRegistered, RetentionNotOver,
    ErasureInTheWay, ErasureAsked.
    """
    why = checked_reason(reason)
    person = Person.objects.get_visible(viewer, action=ERASE, pk=current_person_no(person_no))
    if (earlier := standing_of(person.pk)) is not None:
        raise ErasureAsked(number=earlier.pk)
    require_erasable(person)
    row = Erasure(
        person_no=person.pk,
        household_no=person.household_no,
        village_code=person.village_code,
        reason=why,
        state=ErasureState.ASKED,
        asked_by=viewer.user_id,
        asked_at=clock.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # somebody else was faster
        if (earlier := standing_of(person.pk)) is None:
            raise
        raise ErasureAsked(number=earlier.pk) from None
    _record(viewer, row, "registry.ask_erasure")
    return row


@transaction.atomic
def approve(*, viewer: Viewer, erasure_id: int, note: str = "") -> Erasure:
    """Decide that it be done, and do it. Whoever asked, or is one with him (ADR 0034), does not.

    Raises NotVisible, NotYourErasure, ErasureOver, and what stands in the way by now.
    """
    row = _to_decide(viewer, erasure_id, note)
    person = locked(Person.objects.visible_to(FORGETTING).filter(pk=row.person_no)).get()
    require_erasable(person)
    row.note = note.strip()
    done = _Erasing(person).do(row)
    row.state, row.event_id = ErasureState.ERASED, uuid4()
    row.decided_by, row.decided_at = viewer.user_id, clock.now()
    row.save()
    reached("registry.erasing")
    _record(viewer, row, "registry.erase_person", event_id=row.event_id, **done)
    finish_later()
    reached("registry.erased")
    return row


@transaction.atomic
def decline(*, viewer: Viewer, erasure_id: int, note: str) -> Erasure:
    """Decide that he be kept, and say why. Raises as `approve` does, and ReasonMissing."""
    row = _to_decide(viewer, erasure_id, note)
    row.note = checked_reason(note)
    return _ended(viewer, row, ErasureState.DECLINED, "registry.decline_erasure")


@transaction.atomic
def withdraw(*, viewer: Viewer, erasure_id: int) -> Erasure:
    """Take back what one asked for. Raises NotVisible, NotYourErasure, ErasureOver."""
    row = _open(viewer, erasure_id)
    if row.asked_by != viewer.user_id:
        raise NotYourErasure
    return _ended(viewer, row, ErasureState.WITHDRAWN, "registry.withdraw_erasure")


def may_decide(viewer: Viewer, row: Erasure) -> bool:
    """Whether somebody who may erase there is another than who asked, deputies and principals being one."""
    days = (clock.day_of(row.asked_at), clock.today())
    return viewer.user_id != row.asked_by and not any(
        link.on(*days) and row.asked_by in (link.user_id, link.other_id) for link in links_of([viewer.user_id])
    )


def standing_of(person_no: int) -> Erasure | None:
    """The erasure of a person that waits or was done; for who already holds his number."""
    return Erasure.objects.visible_to(FORGETTING).filter(person_no=person_no, state__in=_STANDING).first()


def finish_later() -> None:
    """Let the lake follow; every night it does so anyway."""
    enqueue(FINISHING, {}, viewer=FORGETTING, title="完成信息删除", key=FINISHING)


def _open(viewer: Viewer, erasure_id: int) -> Erasure:
    row = locked(Erasure.objects.visible_to(viewer).filter(pk=erasure_id)).first()
    if row is None:
        raise NotVisible(kind="erasure")
    if row.state != ErasureState.ASKED:
        raise ErasureOver(number=row.pk, state=ErasureState(row.state).label)
    return row


def _to_decide(viewer: Viewer, erasure_id: int, note: str) -> Erasure:
    refuse_identity_numbers(note, "note")
    row = _open(viewer, erasure_id)
    if not may_decide(viewer, row):
        raise NotYourErasure
    return row


def _ended(viewer: Viewer, row: Erasure, state: ErasureState, act: str) -> Erasure:
    row.state, row.decided_by, row.decided_at = state, viewer.user_id, clock.now()
    row.save()
    _record(viewer, row, act)
    return row


def _record(viewer: Viewer, row: Erasure, act: str, event_id: UUID | None = None, **content: JSON) -> None:
    """Of the act its number alone: neither reason nor note, which people fill with names."""
    record(
        Kind.DECISION,
        viewer=viewer,
        area=common_area([row.village_code]),
        act=act,
        subject=("household", row.household_no),
        content={"erasure": row.pk, **content},
        event_id=event_id,
    )


@dataclass(slots=True)
class _Texts:
    """The names somebody bore, to be found in what people wrote."""

    names: frozenset[str]

    def holds(self, text: str) -> bool:
        return any(name in text for name in self.names)

    def without(self, text: str) -> str:
        for name in sorted(self.names, key=len, reverse=True):
            text = text.replace(name, _TAKEN_OUT)
        return text

    def in_field(self, *fields: str) -> Q:
        """Rows in whose `fields` one of them stands."""
        nowhere: Q = Q(pk__in=())
        return reduce(or_, (Q(**{f"{field}__contains": name}) for field in fields for name in self.names), nowhere)


class _Erasing:
    """One person, everywhere in the database."""

    def __init__(self, person: Person) -> None:
        self._numbers = numbers_of(person.pk)
        self._people = list(Person.objects.visible_to(FORGETTING).filter(pk__in=self._numbers))
        stays = Membership.objects.visible_to(FORGETTING).filter(person_no__in=self._numbers)
        self._homes = sorted(
            {*stays.values_list("household_no", flat=True), *(one.household_no for one in self._people)}
        )
        self._changes = Change.objects.visible_to(FORGETTING)
        mine = self._changes.filter(person_no__in=self._numbers)
        self._events = set(mine.values_list("event_id", flat=True))
        renamed = mine.filter(field="name").values_list("old", "new")
        called = {*(one.name for one in self._people), *(name for pair in renamed for name in pair)}
        self._texts = _Texts(frozenset(name for name in called if len(name) > 1))

    def do(self, row: Erasure) -> dict[str, JSON]:
        """Everything; returns how much, for the log. What `row` says of him goes too."""
        # openings first: they are found by the change rows that go next
        openings = self._openings()
        changes = self._tombstones(self._his_changes())
        self._requests()
        self._years()
        forms = {*(one.name_match for one in self._people), *map(match_form, self._texts.names)}
        Person.objects.visible_to(FORGETTING).filter(pk__in=self._numbers).update(**_NOBODY)
        stays = Membership.objects.visible_to(FORGETTING).filter(person_no__in=self._numbers)
        stays.update(joined_on=None, left_on=None, change_reason="")
        self._forget_names(forms)
        self._notes()
        self._sheets()
        row.reason, row.note = self._texts.without(row.reason), self._texts.without(row.note)
        row.whole_household = self._household(row.household_no)
        return {"changes": changes, "openings": openings, "household": row.whole_household}

    def _his_changes(self) -> Q:
        return Q(person_no__in=self._numbers) | Q(household_no__in=self._homes) & self._texts.in_field("old", "new")

    def _tombstones(self, which: Q) -> int:
        """Of these change rows their digests stay; nothing of what they said."""
        found = list(self._changes.filter(which, digest=None))
        for change in found:
            digest = detail_digest(bytes(change.salt), payload_of_change(change))
            self._changes.filter(pk=change.pk).update(
                field="",
                year=None,
                old="",
                new="",
                old_sealed=None,
                new_sealed=None,
                reason="",
                salt=b"",
                digest=digest,
            )
        self._changes.filter(self._texts.in_field("reason"), household_no__in=self._homes).update(reason="")
        return len(found)

    def _openings(self) -> int:
        """Acts on him alone, and those that name him, as far as they are about his households."""
        about = Q(subject_kind="household", subject_id__in=self._homes) | Q(
            subject_kind="person", subject_id__in=self._numbers
        )
        everything = Opening.objects.visible_to(FORGETTING).filter(erased_at=None)
        found = {row.event_id: row for row in everything.filter(about)}
        for some in pieces(sorted(self._events)):
            found |= {row.event_id: row for row in everything.filter(event_id__in=some)}
        alone = self._events - self._shared()
        return erase_openings(
            [
                event
                for event, row in found.items()
                if event in alone or row.subject_kind == "person" or self._texts.holds(_written(row.payload))
            ]
        )

    def _shared(self) -> set[UUID]:
        """Those of his acts in which something of somebody else changed, or of a household."""
        others = self._changes.filter(~Q(person_no__in=self._numbers) | Q(person_no=None))
        return {
            event
            for some in pieces(sorted(self._events))
            for event in others.filter(event_id__in=some).values_list("event_id", flat=True)
        }

    def _requests(self) -> None:
        ChangeRequestItem.objects.visible_to(FORGETTING).filter(person_no__in=self._numbers).delete()
        requests = ChangeRequest.objects.visible_to(FORGETTING).filter(household_no__in=self._homes)
        rest = ChangeRequestItem.objects.visible_to(FORGETTING).filter(request_id=OuterRef("pk"))
        requests.filter(~Exists(rest)).update(reason="", note="")
        for request in requests.filter(self._texts.in_field("reason", "note")):
            request.reason, request.note = self._texts.without(request.reason), self._texts.without(request.note)
            request.save(update_fields=["reason", "note"])

    def _years(self) -> None:
        """Yearly facts go. What corrects a sealed year in codes stays, as the codes it corrects do."""
        PersonYear.objects.visible_to(FORGETTING).filter(person_no__in=self._numbers).delete()
        beside = YearCorrection.objects.visible_to(FORGETTING).filter(person_no__in=self._numbers)
        beside.exclude(field__in=[field.id for field in FIELDS.values() if not is_text(field.name)]).delete()

    def _forget_names(self, forms: Collection[str]) -> None:
        """The dictionary of names knows only what somebody is called."""
        bearing = Person.objects.visible_to(FORGETTING).filter(name_match=OuterRef("name_match"))
        known = NameToken.objects.filter(~Exists(bearing), name_match__in=forms)
        stamped(known, FORGETTING).delete()

    def _notes(self) -> None:
        homes = Household.objects.visible_to(FORGETTING).filter(pk__in=self._homes)
        for home in homes.filter(self._texts.in_field("cause_note")):
            homes.filter(pk=home.pk).update(cause_note=self._texts.without(home.cause_note))

    def _sheets(self) -> None:
        """Of imports that are over and may have held him: what their pages show of rows, and that their files end."""
        everything = SheetImport.objects.visible_to(FORGETTING)
        for each in overlapping(everything.filter(status__in=FINISHED), self._villages()):
            everything.filter(pk=each.pk).update(preview={}, refusal={})
            files = SheetFile.objects.visible_to(FORGETTING).filter(of=each)
            files.filter(removed_on=None).update(removed_on=clock.today())
            for file in files.filter(self._texts.in_field("file_name")):
                files.filter(pk=file.pk).update(file_name=self._texts.without(file.file_name))

    def _villages(self) -> set[str]:
        homes = Household.objects.visible_to(FORGETTING).filter(pk__in=self._homes)
        return {*homes.values_list("village_code", flat=True), *(one.village_code for one in self._people)}

    def _household(self, household_no: int) -> bool:
        """The household's own data, where it is not live and he was the last of it."""
        homes = Household.objects.visible_to(FORGETTING).filter(pk=household_no)
        if homes.get().is_live or Person.objects.visible_to(FORGETTING).filter(household_no=household_no).exclude(
            name=""
        ):
            return False
        homes.update(**_NO_HOME)
        forget_photos(household_no)
        own = Q(household_no=household_no, person_no=None, field__in=[name for name in _NO_HOME if name in FIELDS])
        self._tombstones(own)
        self._changes.filter(household_no=household_no).update(reason="")
        requests = ChangeRequest.objects.visible_to(FORGETTING).filter(household_no=household_no)
        ChangeRequestItem.objects.visible_to(FORGETTING).filter(request__in=requests).delete()
        requests.update(reason="", note="")
        return True


def is_text(name: str) -> bool:
    """Whether a column of yearly facts of a person holds what people wrote, and no code, number or yes or no."""
    declared = next((field for field in FIELDS.values() if field.name == name and field.model is PersonYear), None)
    return declared is None or (declared.kind == "CharField" and not declared.code_list)


def overlapping(imports: Iterable[SheetImport], villages: Collection[str]) -> Sequence[SheetImport]:
    """Those in whose area one of the villages lies."""
    return [each for each in imports if any(village.startswith(each.area) for village in villages)]


def _written(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False)
