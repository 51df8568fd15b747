"""A backup's moment: nothing appears in the lake while it lasts, and everything does afterwards."""

import threading

from wanjia.lake import Lake


def test_nothing_is_published_while_the_lake_is_still(tmp_path):
    lake = Lake(tmp_path / "lake")
    entered, done = threading.Event(), threading.Event()

    def publish():
        with lake.publishing("runs/1") as staging:
            staging.path("facts.txt").write_text("found")
            entered.set()
        done.set()

    with lake.still():
        thread = threading.Thread(target=publish)
        thread.start()
        assert not done.wait(0.5)
        assert not lake.exists("runs/1")
    thread.join(timeout=30)
    assert lake.exists("runs/1")
