"""The doctor names what is really broken, and the cure; what is in order it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests import with_postgres
from tests.factories import accounts as factory
from wanjia.accounts.models import Role
from wanjia.accounts.services import load_roles
from wanjia.audit.access import AccessRow, access_store, forget_stores
from wanjia.audit.testing import unrecorded
from wanjia.config import doctor
from wanjia.divisions.models import Division
from wanjia.divisions.services import load_divisions
from wanjia.jobs import beats
from wanjia.jobs.choices import State as JobState
from wanjia.jobs.models import Job, WorkerBeat
from wanjia.kernel import clock
from wanjia.lake.store import _STAGING
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.reference import services
from wanjia.reference.models import CalendarDay, CodeList, Parameter
from wanjia.reference.services import load_reference
from wanjia.scope import keys
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.stores import lake
from wanjia.telemetry import health as machine
from wanjia.telemetry.checks import State

ON_POSTGRESQL = bool(os.environ.get("WANJIA_DATABASE_URL"))
on_sqlite = pytest.mark.skipif(ON_POSTGRESQL, reason="a question of SQLite's")


def asked(code: str) -> dict[str, list[str]]:
    """State → the English sentences one check gave, each bad one with a cure in both languages."""
    (check,) = [check for check in doctor.checks() if check.code == code]
    found: dict[str, list[str]] = {}
    for finding in doctor._asked(check):
        found.setdefault(finding.state.value, []).append(finding.said.text("en"))
        assert finding.said.text("zh") != finding.said.text("en")
        if finding.state in (State.WARN, State.FAIL):
            assert finding.cure is not None
            assert finding.cure.text("zh")
            assert finding.cure.text("en")
    return found


def the_only(state: str, code: str) -> str:
    (said,) = asked(code)[state]
    return said


@pytest.fixture
def ready(db, home):
    keys._opened.cache_clear()
    keys.bind_keys()
    home.chmod(0o700)
    return home


@pytest.fixture(autouse=True)
def _private(request):
    """The tests' SQLite file lies in a folder that is open to all."""
    if not ON_POSTGRESQL and "db" in request.fixturenames:
        request.getfixturevalue("db")
        Path(connection.settings_dict["NAME"]).chmod(0o600)


# The machine.


def test_the_platform_tells_its_versions(db):
    assert "duckdb" in the_only("ok", "machine.platform")


def test_an_old_python_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "OLDEST_PYTHON", (4, 0))
    assert "too old" in the_only("fail", "machine.platform")


def test_a_home_that_is_not_there_or_open_to_others_is_named(home, settings):
    home.chmod(0o755)
    assert "0755" in the_only("warn", "machine.home")
    home.chmod(0o700)
    assert "private" in the_only("ok", "machine.home")
    settings.WANJIA_HOME = home / "elsewhere"
    assert "no folder" in the_only("fail", "machine.home")
    settings.WANJIA_HOME.write_text("a file")
    assert "no folder" in the_only("fail", "machine.home")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a small disk")
def test_a_full_disk_fails_and_the_home_on_it_cannot_be_written(home, settings, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount")
    try:
        settings.WANJIA_HOME, settings.WANJIA_DISK_FLOOR = small, 64 * 1024
        small.chmod(0o700)
        assert "ok" in asked("machine.disk")
        with pytest.raises(OSError, match="No space"):
            (small / "full").write_bytes(b"\0" * 2 * 1024 * 1024)
        assert "below the floor" in the_only("fail", "machine.disk")
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_little_room_is_told_before_it_is_too_little(home, settings):
    free = shutil.disk_usage(home).free
    settings.WANJIA_DISK_FLOOR = free + 10**9
    assert "below the floor" in the_only("fail", "machine.disk")
    settings.WANJIA_DISK_FLOOR = free * 2 // 3
    assert "close to the floor" in the_only("warn", "machine.disk")
    settings.WANJIA_DISK_FLOOR = 1
    assert "MB left" in the_only("ok", "machine.disk")


def test_memory_is_read_from_the_kernel(tmp_path, monkeypatch):
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 100 kB\nMemAvailable:     2048 kB\n")
    assert machine.available_memory(file) == 2048 * 1024
    monkeypatch.setattr(machine, "Path", lambda _: file)
    assert "Only 2 MB" in the_only("warn", "machine.memory")
    file.unlink()
    assert "does not say" in the_only("info", "machine.memory")


def test_optional_programs_are_never_wrong(monkeypatch):
    assert set(asked("machine.programs")) == {"info"}
    monkeypatch.setenv("PATH", "")
    assert all("not installed" in said for said in asked("machine.programs")["info"])


# Keys.


def test_keys_in_order(ready):
    assert set(asked("keys.files")) == {"ok"}
    assert set(asked("keys.database")) == {"ok"}


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda keys: (keys / PERSON).unlink(), "missing"),
        (lambda keys: (keys / FIELD).write_text("nonsense"), "Line 1"),
        (lambda keys: (keys / PERSON).chmod(0o640), "0640"),
        (lambda keys: keys.chmod(0o777), "put another key in its place"),
        (shutil.rmtree, "no folder of keys"),
    ],
)
def test_a_key_file_out_of_order_is_named(ready, harm, said):
    harm(ready / "keys")
    assert said in the_only("fail", "keys.files")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_another_owner_is_named(ready):
    os.chown(ready / "keys" / FIELD, 65534, -1)
    assert "belongs to user 65534" in the_only("fail", "keys.files")


def test_a_foreign_key_is_named(ready, tmp_path):
    Keyring.create(tmp_path / "other")
    shutil.copy2(tmp_path / "other" / PERSON, ready / "keys" / PERSON)
    assert PERSON in the_only("fail", "keys.database")


def test_keys_beside_the_data_are_named(ready):
    (ready / "lake" / "raw").mkdir(parents=True)
    shutil.copy2(ready / "keys" / FIELD, ready / "lake" / "raw" / FIELD)
    assert "lies with the data" in the_only("fail", "keys.files")
    (ready / "lake" / "raw" / FIELD).unlink()
    (ready / "keys").rename(ready / "lake" / "keys")
    (ready / "keys").symlink_to(ready / "lake" / "keys")
    assert any("lies with the data" in said for said in asked("keys.files")["fail"])


# The database.


def test_the_tests_database_is_sound(ready):
    assert set(asked("database.settings")) == {"ok"}
    assert "answers" in the_only("ok", "database.answers")


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_setting_that_loses_commits_is_named(db):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
    try:
        assert "synchronous=1" in the_only("fail", "database.settings")
    finally:
        connection.close()
    assert "fail" not in asked("database.settings")


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_database_file_others_can_read_is_named(db):
    file = Path(connection.settings_dict["NAME"])
    before = file.stat().st_mode
    file.chmod(0o644)
    try:
        assert "0644" in the_only("fail", "database.settings")
    finally:
        file.chmod(before)


@pytest.mark.skipif(not with_postgres._binaries(), reason="needs the machine's own PostgreSQL")
def test_a_postgresql_without_fsync_is_named(monkeypatch, home):
    for name in ("fsync", "synchronous_commit"):
        monkeypatch.setitem(with_postgres.SETTINGS, name, "off")
    with with_postgres.running() as url:
        told = wanjia_doctor(home, WANJIA_DATABASE_URL=url)
    roles = [answer["state"] for answer in told["answers"] if answer["check"] == "database.role"]
    assert roles == ["fail"], "nobody has set this server up: the application's role is missing, and that is told"
    said = [answer for answer in told["answers"] if answer["check"] == "database.settings"]
    assert "fsync, synchronous_commit switched off" in next(it for it in said if it["state"] == "fail")["what"]["en"]
    # nothing was set up there: the checks that need tables say so, and the doctor came to its end
    assert "migrations are not applied" in bad(told)["database.migrations"]
    assert told["answers"][-1]["check"].startswith(("audit", "lake", "reference", "divisions", "accounts", "jobs"))


def test_a_missing_migration_is_named(ready):
    MigrationRecorder(connection).record_unapplied("jobs", "0002_worker_beat")
    assert "jobs.0002_worker_beat" in the_only("fail", "database.migrations")


@pytest.mark.skipif(not ON_POSTGRESQL, reason="roles are PostgreSQL's")
def test_a_role_that_row_security_does_not_bind_is_named(db):
    assert "binds the role wanjia_app" in the_only("ok", "database.role")
    with as_owner():
        assert "not bound" in the_only("fail", "database.role")


# Settings.


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"SECRET_KEY": "a" * 60}, "not made at random"),
        ({"SECRET_KEY": "short"}, "not made at random"),
        ({"ALLOWED_HOSTS": ["*"]}, "any host name"),
        ({"DEBUG": True}, "DEBUG is on"),
    ],
)
def test_weak_settings_of_production_fail(settings, changed, said):
    good = {
        "WANJIA_PRODUCTION": True,
        "SECRET_KEY": "".join(map(chr, range(48, 110))),
        "ALLOWED_HOSTS": ["wanjia.example.cn", "127.0.0.1"],
        "SECURE_SSL_REDIRECT": True,
    }
    for name, value in good.items():
        setattr(settings, name, value)
    assert set(asked("settings.production")) == {"ok"}
    for name, value in changed.items():
        setattr(settings, name, value)
    assert any(said in it for it in asked("settings.production")["fail"]), asked("settings.production")


def test_development_settings_and_plain_http_are_told(settings):
    assert "trial on this machine" in the_only("warn", "settings.production")
    settings.WANJIA_PRODUCTION = True
    settings.SECURE_SSL_REDIRECT = False
    assert any("in clear" in said for said in asked("settings.production")["warn"])


def test_a_guessable_token_is_told(monkeypatch):
    assert "this machine only" in the_only("ok", "settings.metrics")
    monkeypatch.setenv("WANJIA_METRICS_TOKEN", "secret")
    assert "short" in the_only("warn", "settings.metrics")


def test_the_program_checks_itself(ready, settings):
    assert "ok" in asked("program.checks")
    settings.WANJIA_CIPHER, settings.TESTING = "tests.common.null_cipher.NullCipher", False
    settings.ROOT_URLCONF = "tests.config.undeclared"
    assert any("scope.E001" in said for said in asked("program.checks")["fail"])


# The lake.


@pytest.fixture
def dataset(ready) -> Path:
    with lake().publishing("sources/d.x/batch=1") as staging:
        staging.path("rows").write_bytes(b"1234")
    assert "1 datasets of the lake are whole" in the_only("ok", "lake.whole")
    return lake().root / "sources/d.x/batch=1"


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "rows").unlink(),
        lambda folder: (folder / "rows").write_bytes(b"123"),
        lambda folder: (folder / "rows").write_bytes(b"1235"),
        lambda folder: (folder / "manifest.json").write_text("{"),
    ],
    ids=["deleted", "cut", "altered", "manifest damaged"],
)
def test_a_damaged_dataset_is_named(dataset, harm):
    harm(dataset)
    assert "sources/d.x/batch=1" in the_only("fail", "lake.whole")


def test_what_a_dead_writer_left_is_told(dataset):
    assert "ok" in asked("lake.staged")
    (lake().root / _STAGING / "0123").mkdir(parents=True)
    assert "1 half-written" in the_only("warn", "lake.staged")
    assert lake().recover() == ("0123",)
    assert "ok" in asked("lake.staged")


# Jobs.


def test_a_worker_is_missed_and_found(db):
    assert "No worker is running" in the_only("fail", "jobs.worker")
    beats.beat(worker="a:1", node="a")
    assert "a" in the_only("ok", "jobs.worker")
    WorkerBeat.objects.update(beat_at=1.0)
    found = asked("jobs.worker")
    assert "last heard of" in found["warn"][0]
    assert "fail" in found


def test_waiting_too_long_and_dead_leases_are_told(db):
    assert set(asked("jobs.waiting")) == set(asked("jobs.leases")) == {"ok"}
    before = clock.now() - timedelta(minutes=3)
    rows = {"name": "x", "user_id": 0, "created_at": before, "run_at": before}
    Job.objects.create(**rows, lane="interactive")
    lost = Job.objects.create(**rows, lane="heavy", state=JobState.RUNNING, lease_until=1.0)
    assert "1 jobs wait in the lane interactive, the oldest for 180 s" in the_only("warn", "jobs.waiting")
    assert str(lost.pk) in the_only("warn", "jobs.leases")


# Audit.


def test_the_store_of_readings_is_tried(ready):
    assert "Nobody has read anything" in the_only("ok", "audit.access")
    assert not access_store().path.exists()
    access_store().append([AccessRow(3, "", "registry.read", "household", 7, "name", "", "451228")])
    assert "1 are not in the log" in the_only("ok", "audit.access")
    for store in forget_stores():
        store.close()
    access_store().path.write_bytes(b"this is no database, and long enough to be seen as none" * 20)
    assert "cannot be written" in the_only("fail", "audit.access")


def test_a_clock_that_went_back_is_noticed(db):
    load_roles()
    factory.account("officer")
    assert "Time goes forward" in the_only("ok", "audit.clock")
    with clock.frozen(clock.now() - timedelta(hours=1)):
        assert "set back" in the_only("fail", "audit.clock")


def test_an_outbox_that_grows_is_told(db, monkeypatch):
    load_roles()
    factory.account("officer")
    assert "ok" in asked("audit.outbox")
    monkeypatch.setattr("wanjia.audit.health.MOST_IN_OUTBOX", 0)
    assert "wait for the log" in the_only("warn", "audit.outbox")


# Reference data.


def test_an_empty_installation_lacks_its_reference_data(db):
    for code in ("reference.codes", "reference.parameters", "divisions.loaded", "accounts.roles"):
        assert "fail" in asked(code), code
    assert "deadlines are counted wrongly" in the_only("fail", "reference.calendar")


def test_reference_data_that_is_there_is_in_order_and_gaps_are_named(db):
    load_reference()
    load_divisions()
    load_roles()
    codes = ("reference.codes", "reference.parameters", "divisions.loaded", "accounts.roles", "reference.calendar")
    for code in codes:
        assert set(asked(code)) <= {"ok", "info"}, code
    with unrecorded():
        CodeList.objects.filter(name=CodeList.objects.order_by("name").first().name).delete()
        name = Parameter.objects.order_by("name").first().name
        Parameter.objects.filter(name=name).update(valid_from=date(2015, 1, 1), valid_to=date(2015, 1, 2))
        Division.objects.filter(level="village").delete()
        Role.objects.filter(code="county_office").delete()
        CalendarDay.objects.filter(day__year=2021).delete()
        services._changed()
    assert "1 code lists are missing" in the_only("fail", "reference.codes")
    assert name in the_only("warn", "reference.parameters")
    assert "village" in the_only("fail", "divisions.loaded")
    assert "county_office" in the_only("fail", "accounts.roles")
    assert "2021 are not known" in the_only("info", "reference.calendar")
    with clock.frozen(date(2020, 12, 2)):
        assert "2021 are not known" in the_only("warn", "reference.calendar")


# The command.


def wanjia_doctor(home: Path, **environment: str) -> dict:
    env = {
        **os.environ, "WANJIA_HOME": str(home), "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev",
        "WANJIA_DATABASE_URL": "", "LANG": "en",
    } | environment  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "wanjia.cli", "doctor", "--json"], env=env, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == (1 if told["counts"]["fail"] else 0), done.stderr
    return told


def bad(told: dict) -> dict[str, str]:
    return {answer["check"]: answer["what"]["en"] for answer in told["answers"] if answer["state"] == "fail"}


def test_a_doctor_called_to_nothing_creates_nothing(tmp_path):
    told = wanjia_doctor(tmp_path / "nowhere")
    assert set(bad(told)) == {"machine.home", "keys.files", "database.answers"}
    assert not (tmp_path / "nowhere").exists()


def test_a_damaged_database_file_is_named(tmp_path, home):
    file = home / "wanjia.sqlite3"
    base = sqlite3.connect(file)
    base.executescript("create table t (a text); create index i on t (a);")
    base.executemany("insert into t values (?)", ((f"{number:08}" * 20,) for number in range(500)))
    base.commit()
    base.close()
    pages = bytearray(file.read_bytes())
    pages[8192:12288] = os.urandom(4096)
    file.write_bytes(pages)
    assert "database.settings" in bad(wanjia_doctor(home))


def test_settings_that_refuse_to_load_are_the_finding(tmp_path):
    told = wanjia_doctor(tmp_path, DJANGO_SETTINGS_MODULE="wanjia.config.settings.production", WANJIA_SECRET_KEY="x")
    assert set(bad(told)) == {"settings.load"}
    told = wanjia_doctor(tmp_path, WANJIA_DATABASE_URL="mysql://user:secret@host/x")
    assert "only postgresql:// is understood" in bad(told)["settings.load"]
    assert "secret" not in json.dumps(told)


def test_a_check_that_fails_itself_does_not_stop_the_others(db, monkeypatch):
    from wanjia.telemetry.checks import Check

    def fails():
        raise ValueError("459999197602290012")
        yield

    sick, well = (
        Check(f"x.{name}", doctor.checks()[0].title, run, needs_database=False)
        for name, run in (("sick", fails), ("well", machine.platform_is_supported))
    )
    monkeypatch.setattr(doctor, "checks", lambda: (sick, well))
    told = [answer.as_dict() for answer in doctor.examine()]
    assert [(it["check"], it["state"]) for it in told] == [("x.sick", "fail"), ("x.well", "ok")]
    assert "ValueError" in told[0]["what"]["en"]
    assert "459999" not in json.dumps(told)


def test_every_check_is_named_after_what_it_looks_at():
    codes = [check.code for check in doctor.checks()]
    assert len(codes) == len(set(codes))
    guide = (Path(__file__).parents[2] / "docs" / "how-to" / "operate.md").read_text(encoding="utf-8")
    assert [code for code in codes if f"`{code}`" not in guide] == []
