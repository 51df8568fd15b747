"""Every physical line of a file is a record, the continuation of one, or nothing at all."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.intake import lines
from wanjia.intake.detect import Encoding, text_of
from wanjia.intake.errors import EndlessLine, UnbalancedQuote


def read(text, *, width=3, pieces=None):
    """(line, cells) of every record in order, and the continuation lines."""
    parts = [text] if pieces is None else [text[at : at + pieces] for at in range(0, len(text), pieces)]
    found, continued, end = [], [], 1
    for block in lines.records(parts, width=width, delimiter=","):
        assert block.first == end
        end = block.end
        rows = [list(row.values()) for row in block.cells.to_pylist()]
        others = [*((odd.line, odd.cells) for odd in block.odd), *((line, []) for line in block.blank.tolist())]
        found += sorted([*zip(block.lines.tolist(), rows, strict=True), *others])
        continued += block.continuations
    return found, continued, end - 1


def test_each_line_is_a_record():
    assert read("a,b,c\n1,2,3\n") == ([(1, ["a", "b", "c"]), (2, ["1", "2", "3"])], [], 2)


def test_a_last_line_without_an_end_counts():
    assert read("a,b,c\n1,2,3")[2] == 2


def test_a_cell_with_line_breaks_is_counted_on_its_first_line():
    found, continued, count = read('a,b,c\n1,"two\nlines\nmore",3\n4,5,6\n')

    assert found == [(1, ["a", "b", "c"]), (2, ["1", "two\nlines\nmore", "3"]), (5, ["4", "5", "6"])]
    assert continued == [3, 4]
    assert count == 5


def test_rows_of_another_width_are_set_apart_with_their_line():
    found, _, _ = read("a,b,c\nonly\n1,2,3,4\n5,6,7\n")

    assert found[1:3] == [(2, ["only"]), (3, ["1", "2", "3", "4"])]


def test_a_stray_quote_inside_a_cell_is_a_character():
    assert read('a,5" tyre,c\nd,6" tyre,f\n')[0] == [(1, ["a", '5" tyre', "c"]), (2, ["d", '6" tyre', "f"])]


def test_a_cell_beyond_every_measure_spoils_its_row_only():
    endless = "1" * 400_000
    assert read(f"a,b,c\n{endless}\n1,2,3\n")[0] == [(1, ["a", "b", "c"]), (2, [endless]), (3, ["1", "2", "3"])]


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory():
    pieces = iter(["a,b,c\n1,2,", *["3" * lines.LONGEST_LINE] * 9])
    with pytest.raises(EndlessLine) as refused:
        list(lines.records(pieces, width=3, delimiter=","))
    assert refused.value.values == {"line": 2}
    assert sum(1 for _ in pieces) > 5


def test_a_quote_that_never_closes_is_refused_with_its_line():
    with pytest.raises(UnbalancedQuote) as refused:
        read('a,b,c\n1,"open,3\n4,5,6\n')
    assert refused.value.values == {"line": 2}


def test_a_quote_open_for_hundreds_of_lines_is_refused_before_it_swallows_the_file(monkeypatch):
    monkeypatch.setattr(lines, "BLOCK", 500)
    with pytest.raises(UnbalancedQuote) as refused:
        read('a,b,c\n1,"open,3\n' + "4,5,6\n" * 5000, pieces=100)
    assert refused.value.values == {"line": 2}


CELL = st.text(alphabet='ab"\n ,覃X', max_size=5)


@given(
    rows=st.lists(st.lists(CELL, min_size=2, max_size=4), max_size=30),
    pieces=st.integers(1, 40),
    block=st.integers(1, 60),
)
def test_any_file_is_read_as_the_csv_module_reads_it_whatever_the_blocks(rows, pieces, block):
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    text = buffer.getvalue()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "BLOCK", block)
        found, continued, count = read(text, pieces=pieces)

    assert [cells or [""] for _, cells in found] == rows
    assert count == text.count("\n")
    # every line is the first of a record or the continuation of one
    assert sorted([line for line, _ in found] + continued) == list(range(1, count + 1))


@given(text=st.text(alphabet="a\r\n覃𬭎", max_size=60), pieces=st.integers(1, 5))
def test_line_ends_and_characters_survive_any_cut_of_the_stream(text, pieces):
    data = text.encode("gb18030")
    parts = [data[at : at + pieces] for at in range(0, len(data), pieces)]

    assert "".join(text_of(parts, Encoding("gb18030"))) == text.replace("\r\n", "\n").replace("\r", "\n")


def test_lines_are_numbered_as_integers_of_the_lake():
    block = next(lines.records(["a,b,c\n"], width=3, delimiter=","))
    assert block.lines.dtype == np.int32
