"""A dataset made anew under its address: the old one counts until it is gone, and nobody meets half of either."""

import pytest

from tests.lake.test_publishing import ADDRESS, publish
from wanjia.kernel import points
from wanjia.lake import Lake, NotPublished


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


def anew(lake: Lake, text: str) -> None:
    with lake.replacing(ADDRESS) as staging:
        staging.path("part-0.csv").write_text(text)


def held(lake: Lake) -> str:
    return lake.path(ADDRESS, "part-0.csv").read_text()


def test_the_address_means_the_new_one_and_the_old_is_gone_from_the_disk(lake):
    publish(lake)
    made_at = lake.read_manifest(ADDRESS).made_at

    for text in ("first", "second"):
        anew(lake, text)
        assert held(lake) == text
        assert lake.list() == [ADDRESS]
        lake.verify(ADDRESS)

    assert lake.read_manifest(ADDRESS).made_at == made_at
    assert [path.name for path in lake.root.rglob("part-0.*")] == ["part-0.csv"]
    lake.discard(ADDRESS)
    assert not lake.exists(ADDRESS)
    assert lake.list() == []


def test_a_writer_that_fails_leaves_the_old_one(lake):
    publish(lake)

    def write_until_the_disk_is_full() -> None:
        with lake.replacing(ADDRESS) as staging:
            staging.path("part-0.csv").write_text("half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_until_the_disk_is_full()

    assert lake.path(ADDRESS, "part-0.parquet").exists()


@pytest.mark.parametrize("point", ["lake.staged", "lake.synced", "lake.manifest", "lake.renamed", "lake.published"])
def test_stopped_anywhere_it_is_the_old_or_the_new_and_done_again_it_is_the_new(lake, point):
    publish(lake)
    anew(lake, "earlier")

    def die(passed: str) -> None:
        if passed == point:
            raise Killed

    points.use(die)
    try:
        with pytest.raises(Killed):
            anew(lake, "fresh")
    finally:
        points.use(None)

    assert held(lake) == ("fresh" if point == "lake.published" else "earlier")
    assert lake.list() == [ADDRESS]
    lake.verify(ADDRESS)
    anew(lake, "again")
    assert held(lake) == "again"
    assert len(list(lake.root.rglob("part-0.csv"))) == 1


def test_what_was_never_published_is_not_replaced(lake):
    with pytest.raises(NotPublished):
        anew(lake, "new")
