import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.kernel.workdays import WorkCalendar

# National Day 2020: off from 1 to 8 October; worked on Sunday 27 September and Saturday 10 October.
OCTOBER = WorkCalendar(
    holidays=frozenset(dt.date(2020, 10, day) for day in range(1, 9)),
    makeup=frozenset({dt.date(2020, 9, 27), dt.date(2020, 10, 10)}),
)


def test_holidays_are_off_and_made_up_weekend_days_are_worked():
    assert not OCTOBER.is_working_day(dt.date(2020, 10, 5))
    assert OCTOBER.is_working_day(dt.date(2020, 10, 10))
    assert not OCTOBER.is_working_day(dt.date(2020, 10, 11))
    assert OCTOBER.is_working_day(dt.date(2020, 9, 27))


def test_a_deadline_over_the_holiday():
    assert OCTOBER.add(dt.date(2020, 9, 30), 1) == dt.date(2020, 10, 9)
    assert OCTOBER.add(dt.date(2020, 9, 30), 2) == dt.date(2020, 10, 10)
    assert OCTOBER.add(dt.date(2020, 9, 30), 3) == dt.date(2020, 10, 12)
    assert OCTOBER.add(dt.date(2020, 10, 3), 0) == dt.date(2020, 10, 3)


def test_yellow_comes_on_the_day_in_which_four_fifths_are_used():
    start = dt.date(2020, 11, 16)
    plain = WorkCalendar()
    warned = {n: plain.between(start, plain.warn_day(start, plain.add(start, n))) for n in range(11)}
    assert warned == {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8, 10: 8}


def test_wrong_questions_are_refused():
    with pytest.raises(ValueError, match="forward"):
        OCTOBER.add(dt.date(2020, 10, 1), -1)
    with pytest.raises(ValueError, match="share"):
        OCTOBER.warn_day(dt.date(2020, 10, 1), dt.date(2020, 10, 9), 80)


days = st.dates(dt.date(2020, 9, 1), dt.date(2020, 12, 31))


@given(days, st.integers(0, 60))
def test_adding_and_counting_agree(day, n):
    due = OCTOBER.add(day, n)

    assert OCTOBER.between(day, due) == n
    assert OCTOBER.between(due, day) == -n
    assert n == 0 or OCTOBER.is_working_day(due)
    assert day <= OCTOBER.warn_day(day, due) <= due
