"""The disk under the database, the lake or the uploads is filled while the site and its worker run.

Every write to it is answered with the one refusal, pages are read on, nothing is half there; and when
there is space again, what waited goes on by itself: nothing is started again.
"""

from __future__ import annotations

import time

import pytest
from PIL import Image

from tests.faults.disks import can_mount, fill, free, small_disk
from tests.faults.places import PATIENCE, database_kind, drop, new_place, on_server, server
from tests.faults.visitor import Visitor, free_port, kill_all, serve

pytestmark = [
    pytest.mark.fault, pytest.mark.slow, pytest.mark.long,
    pytest.mark.skipif(not can_mount(), reason="small disks are mounted, which needs root"),
]  # fmt: skip
LISTS = ("/", "/cases/", "/sources/", "/comparison/", "/jobs/", "/cases/mine/")
PEOPLE = "/registry/households/"  # whoever reads it is written down first
FULL = (507, True)


class Office:
    """People at their desks and a worker, at an installation where one case waits for the county."""

    def __init__(self, at, tmp_path) -> None:
        self.at, self.waiting = at, at.told("waiting")
        port = free_port()
        self.server = serve(at, port)
        stand = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings", "FAULT_STAND": "comparison.pinned:1"}
        self.worker = at.start("wanjia.cli", "worker", log="worker.log", **stand)
        self.site = f"http://127.0.0.1:{port}"
        self.province, self.county = Visitor(self.site, "province"), Visitor(self.site, "county")
        self.officer = Visitor(self.site, self.waiting["officer"])
        self.photo = tmp_path / "photo.jpg"
        until("the worker is up", lambda: at.told("alive"), at)
        self.file = tmp_path / "again.csv"  # another delivery: a line less
        self.file.write_bytes(
            next((at.home / "inbox").glob("*机动车*")).read_bytes().rstrip(b"\r\n").rpartition(b"\n")[0]
        )

    def decide(self):
        fields = {"action": "decide", "version": str(self.waiting["version"]), "note": "同意。"}
        return self.county.post(f"/cases/{self.waiting['decide']}/act/", **fields)

    def photograph(self):
        Image.effect_noise((600, 400), 80).convert("RGB").save(self.photo, "JPEG")  # another one each time
        return self.officer.upload(f"/cases/{self.waiting['photograph']}/evidence/", self.photo, "evidence")

    def deliver(self):
        return self.province.upload("/sources/upload/", self.file)

    def ask(self):
        return self.province.post("/comparison/request/")

    def read(self):
        return [(path, self.county.get(path)[0]) for path in LISTS]

    def close(self):
        self.worker.terminate()
        assert self.worker.wait(60) == 0
        kill_all(self.server)


def answered(answer):
    status, text = answer
    return status, "磁盘空间不足" in text


def until(what, condition, at):
    """Wait for it; returns the seconds it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + PATIENCE, f"{what}\n{at.told('open_jobs')}\n{at.log('worker.log')[-3000:]}"
        time.sleep(0.3)
    return time.monotonic() - began


def lived_through(office, disk, refused, tell, name):
    """Fill `disk` and see everything named in `refused` refused, then done when there is space again."""
    at = office.at
    assert office.ask()[0] == 200
    until("a comparison is under way", (at.home / "standing").exists, at)
    before = at.told("tell")["same"]
    filled = fill(disk)
    (at.home / "standing").rename(at.home / "stood")
    answers = {act: answered(getattr(office, act)()) for act in refused}
    assert answers == dict.fromkeys(refused, FULL)
    assert office.read() == [(path, 200) for path in LISTS]
    assert answered(office.county.get(PEOPLE)) == (FULL if (disk / "access").is_dir() else (200, False))
    until("the worker saw it", lambda: "disk is full" in at.log("worker.log"), at)
    assert at.told("open_jobs")
    full = at.told("tell")["same"]
    assert full | {"jobs": 0} == before | {"jobs": 0}

    free(disk)
    seconds = until("the job went on", lambda: not at.told("open_jobs"), at)
    done = {act: getattr(office, act)()[0] for act in ("photograph", "deliver", "decide")}
    assert set(done.values()) == {200}, done
    until("the delivery was read", lambda: not at.told("open_jobs"), at)
    office.close()
    after = at.told("recover", "nothing")
    assert after["problems"] == []
    same = after["same"]
    assert (same["files"], len(same["batches"])) == (before["files"] + 1, len(before["batches"]) + 1)
    assert [run[0] for run in same["runs"]] == ["done"] * len(before["runs"])
    assert len({run[1] for run in same["runs"]}) == 1  # of the same inputs, before and on a full disk
    tell(
        f"{database_kind()}  disk full under {name}", filled=filled, refused_507=len(refused), pages_read=len(LISTS),
        waiting_job_resumed_s=round(seconds, 1), written_afterwards=len(done), half_done=0,
    )  # fmt: skip


@pytest.mark.skipif(bool(server()), reason="PostgreSQL's tables are filled below")
def test_one_full_disk_under_everything(place, tmp_path, tell):
    at = place("decidable")
    with small_disk(at.home, 24) as disk:
        office = Office(at, tmp_path)
        lived_through(office, disk, ("decide", "photograph", "deliver", "ask"), tell, "database, lake and uploads")


def test_a_full_disk_under_the_lake(place, tmp_path, tell):
    at = place("decidable")
    with small_disk(at.home / "lake", 24) as disk:
        lived_through(Office(at, tmp_path), disk, ("deliver",), tell, "the lake")


def test_a_full_disk_under_the_uploads(place, tmp_path, tell):
    at = place("decidable")
    with small_disk(at.home / "files", 8) as kept, small_disk(at.home / "spool", 8) as spool:
        office = Office(at, tmp_path)
        fill(spool)
        assert answered(office.photograph()) == FULL
        assert answered(office.deliver()) == FULL
        assert list(spool.glob("[!b]*")) == []
        free(spool)
        fill(kept)
        assert answered(office.photograph()) == FULL
        assert office.read() == [(path, 200) for path in LISTS]
        free(kept)
        before = at.told("tell")["same"]
        assert [office.photograph()[0], office.deliver()[0]] == [200, 200]
        until("the delivery was read", lambda: not at.told("open_jobs"), at)
        office.close()
        after = at.told("recover", "nothing")
    assert after["problems"] == []
    assert after["same"]["files"] == before["files"] + 1
    assert len(after["same"]["batches"]) == len(before["batches"]) + 1
    tell(
        f"{database_kind()}  disk full under the uploads", refused_507=3, pages_read=len(LISTS), left_in_the_spool=0,
        written_afterwards=2, half_done=0,
    )  # fmt: skip


@pytest.mark.skipif(not server(), reason="SQLite's disk is filled above")
def test_a_full_disk_under_the_tables(cluster, stage, tmp_path, tell):
    with small_disk(cluster.room("small"), 256) as disk:
        on_server(cluster.url(), f"CREATE TABLESPACE small LOCATION '{disk}'")
        at = new_place(tmp_path / "own", like=stage("decidable"), on=cluster.url(), options="TABLESPACE small")
        office = Office(at, tmp_path)
        before = at.told("tell")["same"]
        filled = fill(disk)
        written, refused = 0, 0
        while refused < 3:  # small rows find room in pages already there
            answer = answered(office.photograph())
            assert answer in ((200, False), FULL), answer
            written, refused = (written, refused + 1) if answer == FULL else (written + 1, 0)
        assert office.read() == [(path, 200) for path in LISTS]
        assert at.told("tell")["same"]["files"] == before["files"] + written

        free(disk)
        assert [office.photograph()[0], office.deliver()[0], office.decide()[0]] == [200, 200, 200]
        seconds = until("the delivery was read", lambda: not at.told("open_jobs"), at)
        office.close()
        after = at.told("recover", "nothing")
        drop(at)
        on_server(cluster.url(), "DROP TABLESPACE small")
    assert after["problems"] == []
    assert after["same"]["files"] == before["files"] + written + 1
    assert len(after["same"]["batches"]) == len(before["batches"]) + 1
    tell(
        "postgresql  disk full under the tables", filled=filled, written_before=written, refused_507=refused,
        pages_read=len(LISTS), written_afterwards=3, waiting_job_resumed_s=round(seconds, 1), half_done=0,
    )  # fmt: skip
