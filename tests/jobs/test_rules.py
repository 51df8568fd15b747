from datetime import UTC, datetime, time, timedelta

import pytest

from wanjia.jobs.rules import Progress, Rhythm, backoff, fit_for_storage


def test_waits_double_up_to_ten_minutes():
    assert [backoff(attempt).total_seconds() for attempt in (1, 2, 3, 4)] == [5, 10, 20, 40]
    assert backoff(50) == timedelta(minutes=10)


def test_progress_tells_rate_and_time_left():
    progress = Progress(done=30_000, total=120_000, note="", seconds=10)
    assert (progress.percent, progress.rate, progress.left) == (25, 3000, timedelta(seconds=30))


@pytest.mark.parametrize(
    "progress", [Progress(0, 100, "", 5), Progress(10, 100, "", 0.2)], ids=["nothing done", "just begun"]
)
def test_no_rate_is_guessed(progress):
    assert progress.rate is None
    assert progress.left is None


def test_an_unknown_total_gives_no_share():
    assert Progress(10, 0, "", 5).percent is None
    assert Progress(120, 100, "", 5).percent == 100


def at(hour, minute=0, day=16):
    return datetime(2020, 11, day, hour, minute, tzinfo=UTC)


def test_a_daily_schedule_is_due_at_its_time_in_china():
    daily = Rhythm(daily=time(6, 30))
    # 06:30 in China is 22:30 UTC of the day before
    assert daily.slot(at(22, 29)) + 1 == daily.slot(at(22, 30)) == daily.slot(at(15, day=17))


def test_an_interval_is_due_once_each_interval():
    minutely = Rhythm(every=timedelta(seconds=60))
    assert minutely.slot(at(9, 0)) + 1 == minutely.slot(at(9, 1))
    assert minutely.slot(at(9, 0)) == minutely.slot(at(9, 0) + timedelta(seconds=59))


def test_a_schedule_has_one_rhythm():
    for wrong in ({}, {"every": timedelta(60), "daily": time(6)}, {"every": timedelta(milliseconds=5)}):
        with pytest.raises(ValueError, match="schedule"):
            Rhythm(**wrong)


@pytest.mark.parametrize(
    ("args", "place"),
    [
        ({"batch_id": 3, "codes": ["451228", "4512"], "all": True, "none": None}, None),
        ({"note": "很长的说明" * 50}, "args.note"),
        ({"rows": [1, {"share": 0.5}]}, "args.rows[1].share"),
        ({"who": object()}, "args.who"),
    ],
)
def test_arguments_are_ids_and_codes(args, place):
    assert fit_for_storage(args) == place
