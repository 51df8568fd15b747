import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from wanjia.lake import AlreadyPublished, BadAddress, Damaged, Lake, NotPublished, Type, parquet

ADDRESS = "sources/gongan.vehicles/batch=12"
COLUMNS = {"source_row": Type.INTEGER, "plate": Type.TEXT}


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def publish(lake: Lake, address: str = ADDRESS, plates: tuple[str, ...] = ("桂M12345", "桂M54321")) -> None:
    table = pa.table({"source_row": pa.array(range(len(plates)), pa.int32()), "plate": list(plates)})
    with lake.publishing(address) as staging:
        parquet.write(staging.path("part-0.parquet"), table, COLUMNS)
        staging.manifest["accepted"] = len(plates)


def test_a_published_dataset_says_what_it_holds(lake):
    publish(lake)

    manifest = lake.read_manifest(ADDRESS)

    assert manifest.facts == {"accepted": 2}
    assert manifest.rows == 2
    assert manifest.files["part-0.parquet"].schema == {"source_row": "int32", "plate": "string"}
    assert manifest.made_at.isoformat() == "2020-11-16T09:00:00+08:00"
    lake.verify(ADDRESS)


def test_equal_content_has_one_digest_wherever_it_lies(lake):
    publish(lake, "sources/a/batch=1")
    publish(lake, "sources/a/batch=2")
    publish(lake, "sources/a/batch=3", plates=("桂M00000",))
    first, same, other = (lake.read_manifest(f"sources/a/batch={n}").content for n in (1, 2, 3))

    assert first == same != other


def test_nothing_is_visible_while_it_is_written(lake):
    with lake.publishing(ADDRESS) as staging:
        staging.path("part-0.csv").write_text("half")

        assert not lake.exists(ADDRESS)
        assert lake.list() == []
    assert lake.list() == [ADDRESS]


def test_a_writer_that_fails_leaves_nothing(lake):
    def write_until_the_disk_is_full() -> None:
        with lake.publishing(ADDRESS) as staging:
            staging.path("part-0.csv").write_text("half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        write_until_the_disk_is_full()

    assert not lake.exists(ADDRESS)
    assert lake.recover() == ()
    publish(lake)


def test_a_dataset_is_published_once(lake):
    publish(lake)
    before = lake.read_manifest(ADDRESS)

    with pytest.raises(AlreadyPublished):
        publish(lake, plates=("桂M99999",))

    assert lake.read_manifest(ADDRESS) == before


def test_of_two_writers_the_faster_wins_and_the_other_is_told(lake):
    def write_slowly() -> None:
        with lake.publishing(ADDRESS) as slow:
            slow.path("part-0.csv").write_text("late")
            publish(lake)

    with pytest.raises(AlreadyPublished):
        write_slowly()

    assert set(lake.read_manifest(ADDRESS).files) == {"part-0.parquet"}
    assert lake.recover() == ()


def test_a_single_file_is_published_once_too(lake):
    with lake.publishing_file("serving/findings@run-1.sqlite") as path:
        path.write_text("index")
    with pytest.raises(AlreadyPublished), lake.publishing_file("serving/findings@run-1.sqlite") as path:
        path.write_text("other")

    assert lake.path("serving/findings@run-1.sqlite").read_text() == "index"


def test_what_was_never_published_is_not_there(lake):
    with pytest.raises(NotPublished):
        lake.read_manifest(ADDRESS)
    publish(lake)
    with pytest.raises(NotPublished):
        lake.path(ADDRESS, "part-1.parquet")
    with pytest.raises(NotPublished):
        lake.path("serving/none.sqlite")


@pytest.mark.parametrize(
    "address",
    ["", "/etc/passwd", "../out", "a/../../b", "a//b", ".staging/x", "A/b", "a/b ", "a/\n", "源/x", "a/.hidden"],
)
def test_an_address_cannot_leave_the_lake(lake, address):
    with pytest.raises(BadAddress), lake.publishing(address):
        pytest.fail("a staging folder was made")


@pytest.mark.parametrize("name", ["../part", "manifest.json", "a/b", "", ".x"])
def test_a_file_name_cannot_leave_its_dataset(lake, name):
    with pytest.raises(BadAddress), lake.publishing(ADDRESS) as staging:
        staging.path(name)


def test_datasets_are_listed_in_the_order_of_their_numbers(lake):
    for number in (12, 9, 100):
        publish(lake, f"sources/gongan.vehicles/batch={number}")
    publish(lake, "registry/snapshot=1")

    assert lake.list("sources/gongan.vehicles") == [f"sources/gongan.vehicles/batch={n}" for n in (9, 12, 100)]
    assert len(lake.list()) == 4


@pytest.mark.parametrize("harm", ["flip", "flip the end", "truncate", "remove"])
def test_damage_is_found_and_named(lake, harm):
    publish(lake)
    path = lake.path(ADDRESS, "part-0.parquet")
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "flip the end":
        path.write_bytes(content[:-1] + b"x")  # no longer Parquet at all
    elif harm == "truncate":
        path.write_bytes(content[:-7])
    else:
        path.unlink()

    with pytest.raises(Damaged) as refused:
        lake.verify(ADDRESS)

    assert refused.value.values["files"] == "part-0.parquet"


CHILD = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from wanjia.kernel import points
from wanjia.lake import Lake, Type, parquet

lake, wanted, kind = Lake(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
points.use(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == wanted else None)
if kind == "folder":
    with lake.publishing("sources/gongan.vehicles/batch=12") as staging:
        table = pa.table({"source_row": pa.array([1], pa.int32()), "plate": ["桂M12345"]})
        parquet.write(staging.path("part-0.parquet"), table, {"source_row": Type.INTEGER, "plate": Type.TEXT})
else:
    with lake.publishing_file("serving/findings@run-1.sqlite") as path:
        path.write_text("index")
"""
POINTS = ("lake.staged", "lake.synced", "lake.manifest", "lake.renamed", "lake.published")
VISIBLE = {"lake.renamed", "lake.published"}


@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_the_dataset_is_whole_or_absent(lake, tmp_path, point, kind):
    if kind == "file" and point == "lake.manifest":
        return  # a single file has no manifest to be killed after
    address = ADDRESS if kind == "folder" else "serving/findings@run-1.sqlite"
    done = subprocess.run([sys.executable, "-c", CHILD, str(lake.root), point, kind], check=False, timeout=60)

    assert done.returncode == -signal.SIGKILL
    assert lake.exists(address) is (point in VISIBLE)
    lake.recover()
    assert list((lake.root / ".staging").iterdir()) == [lake.root / ".staging" / "lock"]
    if point not in VISIBLE:
        with lake.publishing_file(address) if kind == "file" else _plain(lake, address) as path:
            path.write_text("index")
    assert lake.exists(address)
    if kind == "folder":
        lake.verify(address)


class _plain:  # noqa: N801 - reads as the context manager it stands beside
    def __init__(self, lake: Lake, address: str) -> None:
        self.publishing = lake.publishing(address)

    def __enter__(self) -> Path:
        return self.publishing.__enter__().path("part-0.csv")

    def __exit__(self, *exc):
        return self.publishing.__exit__(*exc)


def test_recovery_leaves_a_living_writer_alone(lake):
    with lake.publishing(ADDRESS) as staging:
        staging.path("part-0.csv").write_text("still writing")

        assert lake.recover() == ()
    assert lake.exists(ADDRESS)
