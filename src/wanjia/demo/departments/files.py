"""A department's rows as the file it sends: title, header, total and notes, in its own encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from random import Random

import xlsxwriter

from wanjia.demo.world import DAY

Row = Sequence[str]
UTF_8_WITH_MARK, GB18030 = "utf-8-sig", "gb18030"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file as a department sends it. `lines` counts every line, of a workbook every row of its sheet."""

    name: str
    content: bytes
    lines: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a department lays its file out."""

    title: str  # 机动车登记信息, say
    header: Row
    page: int = 0  # rows after which the export repeats its header
    unit: str = ""  # a line that names the unit of amounts
    encoding: str = GB18030

    def lines(self, random: Random, county: str, rows: Sequence[Row]) -> Iterator[Row]:
        """Every line of the file, the rows numbered in their first column."""
        rest = [""] * (len(self.header) - 1)
        yield [f"{county}{self.title}(截至2020年9月30日)", *rest]
        if self.unit:
            yield [f"单位:{self.unit}", *rest]
        yield self.header
        for serial, row in enumerate(rows, start=1):
            if self.page and serial > 1 and serial % self.page == 1:
                yield self.header
            yield [str(serial), *row]
            if random.random() < 0.0002:
                yield ["", *rest]
        yield ["合计", f"{len(rows)}条", *rest[1:]]
        yield [f"说明:数据来源于{self.title}系统,仅供比对使用", *rest]

    def as_csv(self, random: Random, county: str, rows: Sequence[Row]) -> Delivery:
        """A CSV with the line ends of Windows."""
        buffer = io.StringIO(newline="")
        writer, count = csv.writer(buffer, lineterminator="\r\n"), 0
        for line in self.lines(random, county, rows):
            writer.writerow(line)
            count += 1
        return Delivery(f"{county}{self.title}20200930.csv", buffer.getvalue().encode(self.encoding), count)

    def as_workbook(self, random: Random, county: str, rows: Sequence[Row]) -> Delivery:
        """An Excel workbook with one sheet; everything in it is text, as such exports are."""
        content, count = io.BytesIO(), 0
        book = xlsxwriter.Workbook(content, {"in_memory": True})
        book.set_properties({"created": datetime.combine(DAY, time(9), UTC)})  # the same file from the same seed
        sheet = book.add_worksheet(self.title)
        for line in self.lines(random, county, rows):
            for column, cell in enumerate(line):
                sheet.write_string(count, column, cell)
            count += 1
        book.close()
        return Delivery(f"{county}{self.title}20200930.xlsx", content.getvalue(), count)
