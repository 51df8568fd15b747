"""What keys and ciphers cost: `python -m bench.keys --json`.

A million numbers as a department sends them: nineteen of twenty plain, the others with a tab
behind, as certificates, in full width, in the old form, or missing.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from random import Random

import pyarrow as pa

from bench.harness import Bench, Budget, Figures, main, median_cpu
from wanjia.kernel.identity import check_character
from wanjia.protection.keys import Keyring

ROWS = 1_000_000


def numbers(random: Random, count: int) -> list[str | None]:
    """`count` cells of an identity-number column; the region 4599 issues to nobody."""
    wide = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}  # full width
    cells: list[str | None] = []
    for _ in range(count):
        day = f"{random.randrange(1930, 2020)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}"
        first17 = f"4599{random.randrange(1, 99):02}{day}{random.randrange(1000):03}"
        number = first17 + check_character(first17)
        dice = random.random()
        if dice < 0.95:  # noqa: PLR2004 - the shares of the docstring
            cells.append(number)
        elif dice < 0.999:  # noqa: PLR2004
            cells.append(random.choice((number + "\t", number + "42", number.lower(), " " + number, None)))
        else:
            cells.append(random.choice((number.translate(wide), number[:6] + number[8:17])))
    return cells


def measure(_: argparse.Namespace) -> Figures:
    """CPU seconds of a million numbers keyed, and encrypted."""
    with tempfile.TemporaryDirectory() as folder:
        keyring = Keyring.create(Path(folder) / "keys")
    cells = numbers(Random(1), ROWS)  # noqa: S311 - a bench's numbers are not secrets
    column = pa.array(cells)
    contexts = [f"registry_person.id_number:{number}" for number in range(ROWS)]
    return {
        "person_key_cpu_s_per_million": round(median_cpu(lambda: keyring.person_keys(column)), 3),
        "encrypt_cpu_s_per_million": round(median_cpu(lambda: keyring.cipher.encrypt_many(cells, contexts)), 3),
    }


BENCH = Bench(
    name="keys",
    question="What do keys and ciphers cost, a million numbers as a department sends them?",
    measure=measure,
    budgets=[Budget("person_key_cpu_s_per_million", 0.2), Budget("encrypt_cpu_s_per_million", 3.0)],
)

if __name__ == "__main__":
    main(BENCH)
