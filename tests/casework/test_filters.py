"""What the address of a list narrows to."""

from wanjia.casework.filters import CaseFilter


def test_what_no_column_can_hold_narrows_nothing():
    assert CaseFilter.from_query({"topic": "RA-02\0", "department": "\0", "step": "a\0b"}) == CaseFilter()
    assert CaseFilter.from_query({"topic": " RA-02 "}).topic == "RA-02"
