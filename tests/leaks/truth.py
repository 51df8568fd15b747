"""Everything personal that a demo installation was given, told by the demo's own world.

WANJIA_HOME=… python -m tests.leaks.truth PEOPLE RECORDS SEED     # one JSON object on the last line
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata

import openpyxl


def told(people: int, records: int, seed: int) -> dict[str, object]:
    """Numbers, phones and accounts of the registry, and every number in the departments' files."""
    from wanjia.demo import county
    from wanjia.demo.build import DemoRequest, invent

    made = invent(DemoRequest(seed=seed, people=people, records=records))
    homes = [county._household(home, dict.fromkeys(_villages(made), 0)) for home in made.people.homes]
    residents = list(made.people.residents)
    cells = [unicodedata.normalize("NFKC", cell) for delivery in made.deliveries for cell in _cells(delivery)]
    return {
        "numbers": sorted({member.number for member in residents} | {f[0] for c in cells for f in _found(c)}),
        "phones": sorted({str(home["phone"]) for home in homes}),
        "accounts": sorted({str(home["bank_account"]) for home in homes}),
        "people": [{"no": member.person_no, "number": member.number, "name": member.name} for member in residents],
        "delivery": made.lines,
    }


def _villages(made):
    return {home.village_code for home in made.people.homes}


def _cells(delivery):
    if delivery.name.endswith(".xlsx"):
        sheet = openpyxl.load_workbook(io.BytesIO(delivery.content), read_only=True).worksheets[0]
        return [cell for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    encoding = "utf-8-sig" if delivery.content.startswith(b"\xef\xbb\xbf") else "gb18030"
    rows = csv.reader(io.StringIO(delivery.content.decode(encoding), newline=""))
    return [cell for row in rows for cell in row]


def _found(cell):
    return re.finditer(r"(?<![0-9])(?:[0-9]{15}|[0-9]{17}[0-9Xx](?:[0-9]{2})?)(?![0-9])", cell)


def main() -> None:
    import django

    django.setup()
    from tests.common.operator import reach_everywhere

    reach_everywhere()
    sys.stdout.write(json.dumps(told(*map(int, sys.argv[1:4]))) + "\n")


if __name__ == "__main__":
    main()
