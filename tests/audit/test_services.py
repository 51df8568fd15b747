import hashlib
import json
import threading
import uuid

import pytest
from django.db import DatabaseError, connection, connections, transaction

from tests.audit.conftest import officer
from wanjia.audit import acts, details, names, queries, rules, subjects, triggers
from wanjia.audit.choices import Kind
from wanjia.audit.errors import EventIdReused, IdentityNumberInPayload, NoSuchEvent, RecordedOutsideTransaction
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.services import detail, record
from wanjia.kernel.errors import Sentence
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.system import system_viewer
from wanjia.tlog import merkle

VILLAGE = "451228100201"
EVERYTHING = system_viewer("audit.verify")


def correct(viewer, household=17, **more):
    with transaction.atomic():
        return record(
            Kind.CORRECTION, viewer=viewer, area=VILLAGE, act="registry.correct", subject=("household", household),
            **({"content": {"fields": ["phone"]}} | more),
        )  # fmt: skip


@pytest.mark.django_db
def test_the_public_entry_says_kind_county_and_time_and_nothing_else(clerk):
    receipt = correct(clerk)
    stored = bytes(Outbox.objects.get(event_id=receipt.event_id).entry)
    entry = json.loads(stored)
    assert entry.keys() == {"v", "event_id", "kind", "area", "at", "commit", "sm3"}
    assert (entry["v"], entry["kind"], entry["area"]) == (1, "correction", "451228")
    assert entry["at"] == "2020-11-16T01:00:00.000000Z"
    assert stored == rules.canonical(entry)


@pytest.mark.django_db
def test_the_opening_opens_the_commitment(clerk):
    receipt = correct(clerk)
    opening = Opening.objects.get_visible(EVERYTHING, event_id=receipt.event_id)
    salted = bytes(opening.salt) + rules.canonical(opening.payload)
    assert hashlib.sha256(salted).hexdigest() == receipt.commit == queries.entry_of(receipt.event_id)["commit"]
    assert opening.payload["actor"] == {"user": 17, "system": "", "roles": ["county_office"]}
    assert opening.payload["area"] == VILLAGE
    assert opening.payload["subject"] == ["household", 17]
    assert len(opening.salt) >= 16


@pytest.mark.django_db
def test_each_entry_of_a_subject_names_the_one_before(clerk):
    first, other, second = correct(clerk), correct(clerk, household=18), correct(clerk)
    previous = {
        row.event_id: row.payload["previous"] for row in Opening.objects.visible_to(EVERYTHING)
    }  # fmt: skip
    assert previous == {first.event_id: None, other.event_id: None, second.event_id: str(first.event_id)}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_a_transaction(clerk):
    with pytest.raises(RecordedOutsideTransaction):
        record(Kind.CORRECTION, viewer=clerk, area=VILLAGE, act="registry.correct")
    assert not Outbox.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_leaves_no_entry(clerk):
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the transaction is what fails
        record(Kind.CORRECTION, viewer=clerk, area=VILLAGE, act="registry.correct")
        1 / 0  # noqa: B018
    assert not Outbox.objects.exists()
    assert not Opening.objects.visible_to(EVERYTHING).exists()


@pytest.mark.django_db
def test_a_resent_submission_gets_the_first_receipt(clerk):
    event = uuid.uuid4()
    first, again = correct(clerk, event_id=event), correct(clerk, event_id=event)
    assert (first.again, again.again) == (False, True)
    assert (again.event_id, again.commit) == (event, first.commit)
    assert Outbox.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"content": {"fields": ["name"]}}, {"household": 18}, {"details": [b"\0" * 32]}])
def test_one_event_id_never_stands_for_two_acts(clerk, change):
    event = uuid.uuid4()
    correct(clerk, event_id=event)
    with pytest.raises(EventIdReused):
        correct(clerk, event_id=event, **change)
    with pytest.raises(EventIdReused):
        correct(officer(18, "451228"), event_id=event)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_event_id_make_one_entry(clerk):
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads share the one connection of an in-memory database")
    event, gate, receipts = uuid.uuid4(), threading.Barrier(4), []

    def submit():
        gate.wait()
        receipts.append(correct(clerk, event_id=event))
        connections.close_all()

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Outbox.objects.count() == 1
    assert sorted(receipt.again for receipt in receipts) == [False, True, True, True]
    assert len({receipt.commit for receipt in receipts}) == 1


@pytest.mark.django_db
def test_an_identity_number_never_reaches_an_opening(clerk):
    with pytest.raises(IdentityNumberInPayload):
        correct(clerk, content={"reason": "号码应为459999199001010012"})
    assert not Outbox.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("area", ["451228000000x", "45122", "451228-"])
def test_an_area_that_is_no_division_is_a_fault_of_the_program(clerk, area):
    with pytest.raises(ValueError, match="division code"), transaction.atomic():
        record(Kind.CORRECTION, viewer=clerk, area=area, act="registry.correct")


# Bulk acts ------------------------------------------------------------------------------------


def bulk(viewer, rows):
    made = [detail(row) for row in rows]
    stored = [[one.salt, row] for one, row in zip(made, rows, strict=True)]
    with transaction.atomic():
        receipt = record(
            Kind.LOAD, viewer=viewer, area="451228", act="registry.load", subject=("batch", 3),
            details=(one.digest for one in made),
        )  # fmt: skip
    details.register_source(details.DetailSource("rows", lambda event: stored if event == receipt.event_id else []))
    return receipt, stored, made


@pytest.mark.django_db
def test_a_bulk_act_is_one_entry_over_the_root_of_its_rows(clerk):
    receipt, _, made = bulk(clerk, [{"household": number} for number in range(1000)])
    opening = Opening.objects.get_visible(EVERYTHING, event_id=receipt.event_id)
    assert Outbox.objects.count() == 1
    root = merkle.root([one.digest for one in made])
    assert opening.payload["details"] == {"count": 1000, "root": root.hex()}
    proof = merkle.inclusion_proof([one.digest for one in made], 613)
    assert merkle.verify_inclusion(rules.detail_digest(made[613].salt, {"household": 613}), 613, 1000, proof, root)
    verdict = queries.verify_event(receipt.event_id)
    assert verdict.true
    assert verdict.details == queries.DetailVerdict(1000, intact=True, source="rows")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows.reverse(),
        lambda rows: rows.__setitem__(4, [rows[4][0], {"household": 999}]),
        lambda rows: rows.__setitem__(4, [b"x" * 16, rows[4][1]]),
        lambda rows: rows.clear(),
    ],
    ids=["removed", "added", "reordered", "altered", "salt altered", "all gone"],
)
def test_detail_rows_that_differ_are_noticed(clerk, spoil):
    receipt, stored, _ = bulk(clerk, [{"household": number} for number in range(9)])
    spoil(stored)
    verdict = queries.verify_event(receipt.event_id)
    assert verdict.problems == ("details_differ",)


@pytest.mark.django_db
def test_details_may_live_in_a_table_of_their_owner(clerk):
    """The outbox stands in for an owner's table here: any model with the columns will do."""
    earlier = correct(clerk)
    made = detail({"event": str(earlier.event_id)})
    with transaction.atomic():
        receipt = record(Kind.LOAD, viewer=clerk, area="451228", act="registry.load", details=[made.digest])
    opening = Opening.objects.get_visible(EVERYTHING, event_id=earlier.event_id)
    details.register_details(
        "audit.Opening", lambda row: {"event": str(row.event_id)}, event="event_id", order="id",
    )  # fmt: skip
    rows = list({source.label: source for source in details.sources()}["audit.Opening"].rows(earlier.event_id))
    assert rows == [(bytes(opening.salt), {"event": str(earlier.event_id)})]
    assert queries.verify_event(receipt.event_id).problems == ("details_differ",)


# Verification ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_untouched_entry_is_true(clerk):
    assert queries.verify_event(correct(clerk).event_id).true


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("payload", {"act": "registry.delete"}, "commitment_differs"),
        ("act", "registry.delete", "entry_differs"),
        ("actor_id", 99, "entry_differs"),
        ("area", "451202", "entry_differs"),
        ("subject_id", 99, "entry_differs"),
    ],
)
def test_an_altered_opening_is_noticed(clerk, column, value, problem):
    receipt = correct(clerk)
    opening = Opening.objects.get_visible(EVERYTHING, event_id=receipt.event_id)
    changed = opening.payload | value if column == "payload" else value
    without_triggers()
    Opening.objects.visible_to(EVERYTHING).filter(pk=opening.pk).update(**{column: changed})
    assert problem in queries.verify_event(receipt.event_id).problems


@pytest.mark.django_db
def test_a_missing_entry_is_noticed(clerk):
    receipt = correct(clerk)
    Outbox.objects.all().delete()
    assert queries.verify_event(receipt.event_id).problems == ("entry_missing",)
    with pytest.raises(NoSuchEvent):
        queries.verify_event(uuid.uuid4())


def without_triggers():
    with as_owner(), connection.cursor() as cursor:
        for table, name in (("log_outbox", "log_outbox_no_update"), ("log_opening", "log_opening_only_erasure")):
            on = "" if connection.vendor == "sqlite" else f" ON {table}"
            cursor.execute(f"DROP TRIGGER {name}{on}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_outbox SET entry = entry",
        "UPDATE log_opening SET act = 'x'",
        "UPDATE log_opening SET payload = '{}'",
        "UPDATE log_opening SET salt = NULL, payload = NULL, erased_at = at, actor_id = 0",
        "DELETE FROM log_opening",
    ],
)
def test_the_database_refuses_to_rewrite_history(clerk, statement):
    correct(clerk)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER IF EXISTS log_opening_no_delete")
            cursor.execute(triggers.NO_DELETE_ON_SQLITE)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert Opening.objects.visible_to(EVERYTHING).get().act == "registry.correct"


@pytest.mark.django_db
def test_an_erased_opening_still_stands_for_its_entry(clerk):
    receipt = correct(clerk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE log_opening SET salt = NULL, payload = NULL, erased_at = at")
    verdict = queries.verify_event(receipt.event_id)
    assert verdict.true
    assert verdict.erased
    (line,) = queries.trail(EVERYTHING, "household", 17)
    assert line.erased


# Trails ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_history_is_told_in_sentences_newest_first(clerk, auditor, settings):
    from django.utils import translation

    acts.register([acts.Act("registry.correct", Sentence("更正了{field}", "corrected {field}"))])
    names.use(lambda ids: dict.fromkeys(ids, "韦小妹"))
    correct(clerk, content={"field": "phone"})
    correct(clerk, content={})
    lines = queries.trail(auditor, "household", 17)
    assert [(line.actor, line.sentence) for line in lines] == [("韦小妹", "更正了…"), ("韦小妹", "更正了phone")]
    with translation.override("en"):
        assert queries.trail(auditor, "household", 17)[1].sentence == "corrected phone"


@pytest.mark.django_db
def test_a_trail_is_cut_to_the_readers_area(clerk, auditor, neighbour):
    receipt = correct(clerk)
    assert len(queries.trail(auditor, "household", 17)) == 1
    assert queries.trail(neighbour, "household", 17) == []
    assert queries.trail(clerk, "household", 17) == []
    assert not queries.acts_of(neighbour, 17).exists()
    assert queries.acts_of(auditor, 17).count() == 1
    with pytest.raises(NoSuchEvent):
        queries.opening_for(neighbour, receipt.event_id)
    assert queries.opening_for(auditor, receipt.event_id).event_id == receipt.event_id


@pytest.mark.django_db
def test_who_may_open_the_household_may_read_its_history(clerk, neighbour):
    subjects.declare(
        subjects.Subject(
            "household", Sentence("户", "Household"), lambda viewer, number: (viewer.user_id, number) == (17, 17)
        )
    )
    receipt = correct(clerk)
    correct(clerk, household=18)
    assert len(queries.trail(clerk, "household", 17)) == 1
    assert queries.trail(clerk, "household", 18) == []
    assert queries.trail(neighbour, "household", 17) == []
    assert queries.opening_for(clerk, receipt.event_id).act == "registry.correct"


def test_one_act_has_one_sentence():
    acts.register([acts.Act("x.y", Sentence("做了", "did"))])
    acts.register([acts.Act("x.y", Sentence("做了", "did"))])
    with pytest.raises(ValueError, match=r"x\.y"):
        acts.register([acts.Act("x.y", Sentence("没做", "did not"))])
