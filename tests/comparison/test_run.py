import datetime as dt
import hashlib

import duckdb
import pyarrow.parquet as pq
import pytest
from django.db import transaction

from tests.comparison.conftest import NEXT_VILLAGE, VILLAGE, World, viewer
from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.comparison import findings, index, presenting, queries, services
from wanjia.comparison.choices import RunStatus
from wanjia.comparison.errors import (
    InputsChanged,
    NoActiveRules,
    NoBatches,
    NotResolved,
    RulesChanged,
    RunNotReady,
)
from wanjia.comparison.models import Run
from wanjia.jobs import handle
from wanjia.jobs.worker import run_pending
from wanjia.kernel import clock
from wanjia.lake import Damaged
from wanjia.scope.errors import NotAllowed
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources.choices import BatchStatus, DeliveryMode
from wanjia.sources.services import withdraw

pytestmark = pytest.mark.django_db


@pytest.fixture
def county(world) -> World:
    """One car of before identification, one of after, and what is no suspicion."""
    world.car(registered_on=dt.date(2015, 12, 31))
    world.car(registered_on=dt.date(2016, 1, 1))
    world.car(vehicle_kind="普通二轮摩托车")
    world.car(vehicle_status="报废")
    world.car(name_agrees=False)
    world.car(world.person(in_household=False, member_status="3"))
    world.car(world.person(world.household(poverty_status="")))
    world.publish()
    world.deliver()
    return world


def found(run: Run) -> list[tuple[str, int]]:
    path = lake().path(findings.address_of(run.pk), findings.FILE)
    return [(row["rule"], row["person_no"]) for row in pq.read_table(path).to_pylist()]


def test_a_car_of_before_identification_and_one_of_after_are_two_suspicions(county, province):
    run = services.run_comparison(viewer=province)

    assert found(run) == [("RA-02", 1), ("RA-02B", 2)]
    assert run.status == RunStatus.DONE
    assert run.finding_count == 2
    assert run.compared == 6  # the member who left is not compared
    assert run.counts["RA-02"] == {"findings": 1, "people": 1, "permille": 166}


def test_a_finding_shows_the_departments_record_and_nothing_that_identifies(county, province):
    run = services.run_comparison(viewer=province)
    finding = queries.finding_for(province, run.pk, 1)

    assert finding.evidence == {
        "plate": "桂M00003",
        "vehicle_kind": "小型轿车",
        "vehicle_use": "非营运",
        "model": "五菱宏光",
        "registered_on": "2015-12-31",
        "vehicle_status": "正常",
        "identified_year": 2015,
    }
    rule = queries.rules_of(run)["RA-02"]
    assert "2015-12-31 登记的小型轿车（桂M00003" in rule.explain(finding.evidence, "zh")
    assert "identified in 2015" in rule.explain(finding.evidence, "en")
    assert rule.veto == "V4"
    assert rule.expected_outcome == "04"
    assert queries.rules_of(run)["RA-02B"].expected_outcome == "03"
    columns = set(pq.read_schema(lake().path(findings.address_of(run.pk), findings.FILE)).names)
    assert columns.isdisjoint({"name", "name_match", "person_key", "id_number"})


def test_numbers_are_dense_in_the_canonical_order(county, province, world):
    for _ in range(30):
        world.car(world.person(world.household(VILLAGE)))
    run = services.run_comparison(viewer=province, snapshot=_again(world))

    rows = pq.read_table(lake().path(findings.address_of(run.pk), findings.FILE)).to_pylist()
    assert [row["finding_no"] for row in rows] == list(range(1, len(rows) + 1))
    keys = [(row["person_no"], row["rule"], row["dataset"], row["source_row"], row["evidence"]) for row in rows]
    assert keys == sorted(keys)


def _again(world: World, snapshot: str = "20201116-02") -> str:
    """The world as it stands now, delivered anew."""
    world.publish(snapshot)
    world.deliver(snapshot)
    return snapshot


def test_the_same_inputs_give_the_same_digest_and_other_inputs_another(county, province, world):
    first = services.run_comparison(viewer=province)
    again = services.run_comparison(viewer=province)
    world.car(registered_on=dt.date(2014, 1, 1))
    other = services.run_comparison(viewer=province, snapshot=_again(world))

    assert first.pk != again.pk
    assert first.digest == again.digest
    assert len(first.digest) == 64
    assert other.digest != first.digest


def test_the_digest_does_not_depend_on_the_database(county, province, world):
    """Another installation numbers its batches and runs differently, and must find the same."""
    first = services.run_comparison(viewer=province)
    world.deliver()
    again = services.run_comparison(viewer=province)

    assert first.batches[0]["batch"] != again.batches[0]["batch"]
    assert first.digest == again.digest


def test_the_digest_is_of_the_canonical_lines(county, province):
    run = services.run_comparison(viewer=province)
    rows = pq.read_table(lake().path(findings.address_of(run.pk), findings.FILE)).to_pylist()
    lines = "".join(
        "\x1f".join(str(row[name]) for name in ("person_no", "rule", "dataset", "source_row", "evidence")) + "\n"
        for row in rows
    )

    assert run.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_the_manifest_says_what_the_run_stood_on(county, province):
    run = services.run_comparison(viewer=province)
    facts = lake().read_manifest(findings.address_of(run.pk)).facts

    assert facts["snapshot"] == "20201116-01"
    assert facts["digest"] == run.digest
    assert {rule["id"]: rule["version"] for rule in facts["rules"]} == {
        rule.id: rule.version for rule in queries.rules_of(run).values()
    }
    assert facts["rules"][0]["parameters"]["45"]["driven"] == ["正常"]
    assert facts["batches"] == run.batches


def test_the_evidence_hash_covers_the_evidence_and_nothing_else(county, province):
    run = services.run_comparison(viewer=province)
    path = lake().path(findings.address_of(run.pk), findings.FILE)

    assert duckdb.sql(f"select count(*) from '{path}' where evidence_hash <> sha256(evidence)").fetchall() == [(0,)]


def test_a_run_is_recorded_in_its_own_transaction(county, province):
    run = services.run_comparison(viewer=province)
    said = [
        o.payload
        for o in Opening.objects.visible_to(system_viewer("audit.record"))
        if o.payload["subject"] == ["run", run.pk]
    ]

    assert {item["act"] for item in said} == {"comparison.request", "comparison.run"}
    result = next(item for item in said if item["act"] == "comparison.run")
    assert result["content"]["digest"] == run.digest
    assert result["content"]["rules"] == {rule.id: rule.version for rule in queries.rules_of(run).values()}


def test_a_run_that_was_interrupted_after_publishing_is_finished_as_it_was(county, province, monkeypatch):
    class StoppedError(Exception):
        pass

    def stop(*_):
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(index, "build", stop)
        with pytest.raises(StoppedError):
            services.run_comparison(viewer=province)
    run = Run.objects.get()
    assert run.status == RunStatus.REQUESTED
    made_at = lake().read_manifest(findings.address_of(run.pk)).made_at

    finished = services.run_comparison(viewer=province, run_id=run.pk)

    assert finished.status == RunStatus.DONE
    assert finished.finding_count == 2
    assert lake().read_manifest(findings.address_of(run.pk)).made_at == made_at
    assert services.run_comparison(viewer=province, run_id=run.pk) == finished


# -- what a run refuses --------------------------------------------------------------------------


def test_without_rules_in_force_nothing_is_reported_as_clean(county, province):
    with clock.frozen(dt.date(2013, 12, 31)), pytest.raises(NoActiveRules):
        services.run_comparison(viewer=province)

    assert not Run.objects.exists()


@pytest.mark.parametrize("status", [BatchStatus.RECEIVED, BatchStatus.PREVIEWED, BatchStatus.REJECTED])
def test_only_accepted_batches_are_compared(world, province, status):
    world.car()
    world.publish()
    facts = {"status": status}
    world.deliver(**facts)

    with pytest.raises(NoBatches):
        services.run_comparison(viewer=province)


def test_a_batch_that_is_not_resolved_stops_the_run(county, province, world):
    world.deliver(resolved=False)

    with pytest.raises(NotResolved):
        services.run_comparison(viewer=province)


def test_a_batch_resolved_against_another_snapshot_stops_the_run(county, province, world):
    with pytest.raises(NotResolved):
        services.run_comparison(viewer=province, snapshot=world.publish("20201116-02"))


def test_a_newer_full_delivery_replaces_the_older(county, province, world):
    world.cars = world.cars[:1]
    newer = world.deliver()

    run = services.run_comparison(viewer=province)

    assert [batch["batch"] for batch in run.batches] == [newer.pk]
    assert found(run) == [("RA-02", 1)]


def test_after_a_withdrawal_the_one_before_is_compared_and_the_manifest_says_so(county, province, world):
    first = services.run_comparison(viewer=province)
    world.cars = world.cars[:1]
    newer = world.deliver()
    second = services.run_comparison(viewer=province)

    withdraw(viewer=system_viewer("cli.intake"), batch_id=newer.pk, reason="送错文件")
    third = services.run_comparison(viewer=province)

    used = [lake().read_manifest(findings.address_of(run.pk)).facts["batches"] for run in (first, second, third)]
    assert used[0] == used[2]
    assert [batch["batch"] for batch in used[1]] == [newer.pk]
    assert third.digest == first.digest != second.digest
    assert presenting.withdrawn_since([first, second, third]) == {first.pk: [], second.pk: [newer.pk], third.pk: []}


def test_deliveries_of_two_counties_stand_beside_each_other(county, province, world):
    world.cars = []
    world.car(1, plate="桂N00001")
    world.deliver(area="451229", delivery_mode=DeliveryMode.FULL)

    run = services.run_comparison(viewer=province)

    assert len(run.batches) == 2
    assert found(run) == [("RA-02", 1), ("RA-02", 1), ("RA-02B", 2)]


def test_inputs_that_changed_since_they_were_pinned_are_refused(county, province):
    with transaction.atomic():
        run = services.request_run(viewer=province)
    path = lake().path(run.batches[0]["address"], "matched.parquet")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Damaged):
        services.run_comparison(viewer=province, run_id=run.pk)

    run.batches[0]["content"] = "0" * 64
    with unrecorded():
        run.save()
    with pytest.raises(InputsChanged):
        services.run_comparison(viewer=province, run_id=run.pk)


def test_rules_that_changed_while_the_run_waited_are_refused(county, province):
    run = services.request_run(viewer=province)
    run.rules[0]["version"] = "000000000000"
    with unrecorded():
        run.save()

    with pytest.raises(RulesChanged) as refused:
        services.run_comparison(viewer=province, run_id=run.pk)

    assert refused.value.values["rules"] == "RA-02"


def test_who_may_only_read_may_not_run(county, at):
    with pytest.raises(NotAllowed):
        services.run_comparison(viewer=at("45"))
    with pytest.raises(NotAllowed):
        services.request_run(viewer=at("45"))


def test_a_county_may_not_run_the_province(county):

    with pytest.raises(NotAllowed):
        services.run_comparison(viewer=viewer("451228"))


# -- implausible ----------------------------------------------------------------------------------


@pytest.fixture
def implausible(world) -> World:
    """Every second registered person seems to own a car: some column was read wrongly."""
    for n in range(120):
        person = world.person(world.household((VILLAGE, NEXT_VILLAGE)[n % 2]))
        if n % 2:
            world.car(person)
    world.publish()
    world.deliver()
    return world


def test_a_rule_that_flags_every_second_person_holds_the_run(implausible, province, at):
    run = services.run_comparison(viewer=province)

    assert run.status == RunStatus.HELD
    assert run.held_for == [{"rule": "RA-02", "permille": 500, "allowed": 100}]
    assert queries.current_run(province) is None
    assert queries.findings(province, run.pk).total == 60  # who runs comparisons may look at why
    assert not queries.runs(at("451228")).exists()


def test_a_held_run_is_released_or_discarded_once(implausible, province):
    run = services.run_comparison(viewer=province)

    released = services.release_run(viewer=province, run_id=run.pk, reason="已抽查 20 户,数据无误")
    assert released.status == RunStatus.DONE
    assert queries.current_run(province) == released
    with pytest.raises(RunNotReady):
        services.discard_run(viewer=province, run_id=run.pk, reason="重复")

    other = services.run_comparison(viewer=province)
    assert services.discard_run(viewer=province, run_id=other.pk, reason="登记日期列错位").status == RunStatus.DISCARDED
    with pytest.raises(RunNotReady):
        queries.findings(province, other.pk)
    assert queries.current_run(province) == released


# -- as a job --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_run_asked_for_is_made_by_the_worker(county, province, monkeypatch):
    monkeypatch.setattr(handle.JobHandle, "viewer", province)
    run = services.request_run(viewer=province)
    assert run.status == RunStatus.REQUESTED

    run_pending()

    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert found(run) == [("RA-02", 1), ("RA-02B", 2)]
