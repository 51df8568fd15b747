"""No personal number survives in a log line; what operators need does."""

from uuid import UUID

import pytest

from wanjia.telemetry.redaction import HIDDEN, redacted

NUMBERS = {
    "resident": "459999197602290012",
    "resident with x": "45999919760229001X",
    "resident with small x": "45999919760229001x",
    "issued before 1999": "459999760229001",
    "disability, 20": "45999919760229001244",
    "disability with x, 20": "45999919760229001X44",
    "disability, re-issued": "45999919760229001X44B1",
    "full width": "４５９９９９１９７６０２２９００１２",
    "bank card": "6222021001112223334",
    "bank card, grouped": "6222 0210 0111 2223 334",
    "bank card, dashed": "6222-0210-0111-2223",
    "number, grouped": "459999 19760229 0012",
    "mobile": "13800008000",
    "mobile, grouped": "138-0000-8000",
    "mobile, full width": "１３８００００８０００",
    "landline": "0771-5551234",
    "person_key": "-6148914691236517204",
}


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
@pytest.mark.parametrize("around", ["{}", "id={}", "韦某{}重复", "Key (id_number)=({}) exists", "('{}',)", "/find/{}/"])
def test_a_personal_number_is_hidden_wherever_it_stands(number, around):
    text = redacted(around.format(number))
    assert HIDDEN in text
    digits = "".join(letter for letter in text.replace(HIDDEN, "") if letter.isdigit())
    assert len(digits) <= 4, text  # nothing of it that would tell people apart


@pytest.mark.parametrize(
    "text",
    [
        "case 4512 of 451228101201 is due on 2020-12-31",
        "2020-11-16T09:00:00.123456+08:00",
        "6340000 rows in 12.25 s, 1048576 bytes",
        "digest 1234567890123456789012345678901234567890123456789012345678901abc",
        f"entry {UUID('12345678-1234-4123-8123-12345678901a')}",
        "batch=12 of sources/D01.vehicles",
        "127.0.0.1:8000",
    ],
)
def test_what_operators_need_stays(text):
    assert redacted(text) == text


def test_two_numbers_in_a_row_are_no_digest():
    assert redacted("459999197602290012" * 2) == HIDDEN
