"""An import as its page tells it: figures, problems in words, what would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wanjia.divisions.queries import full_name
from wanjia.intake.choices import NonData, Severity, UnreadSheet
from wanjia.kernel.errors import Sentence
from wanjia.registry.choices import ImportStatus, SheetKind
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import SheetFile, SheetImport
from wanjia.registry.services.sheets.columns import SheetContract, sheet
from wanjia.registry.services.sheets.reading import sentence_of

TONES = {
    ImportStatus.WAITING: "waiting",
    ImportStatus.RECEIVED: "waiting",
    ImportStatus.PREVIEWED: "waiting",
    ImportStatus.DONE: "done",
    ImportStatus.UNREADABLE: "warn",
    ImportStatus.CANCELLED: "muted",
}


@dataclass(frozen=True, slots=True)
class Problems:
    """A kind of problem of a sheet, with three examples."""

    title: str
    sentence: str
    count: int
    examples: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ToldSheet:
    """A sheet of an import as the page shows it."""

    file: SheetFile
    title: str
    rejects: list[Problems]
    warnings: list[Problems]
    columns: list[tuple[str, str]]  # header, what it was understood as
    unknown: list[str]
    non_data: list[tuple[str, int]]
    encoding: str
    unread: list[tuple[str, str]]
    hidden_columns: list[str]


def tone_of(row: SheetImport) -> str:
    return TONES.get(ImportStatus(row.status), "waiting")


def told(row: SheetImport, files: list[SheetFile], language: str) -> list[ToldSheet]:
    """Each sheet that was read."""
    sheets: Mapping[str, Any] = row.preview.get("sheets", {})
    return [_told(file, sheets[file.sheet], language) for file in files if file.sheet in sheets]


def _told(file: SheetFile, said: Mapping[str, Any], language: str) -> ToldSheet:
    contract = sheet(SheetKind(file.sheet))
    groups = list(_groups(contract, said, language))
    columns = [(each["header"], _title(contract, each["field"], language, said)) for each in said["columns"]]
    return ToldSheet(
        file=file,
        title=contract.title.text(language),
        rejects=[group for severity, group in groups if severity is Severity.REJECT],
        warnings=[group for severity, group in groups if severity is Severity.WARN],
        columns=columns,
        unknown=[header for header, title in columns if not title and header],
        non_data=[(str(NonData(name).label), count) for name, count in said["non_data"].items()],
        encoding=said["encoding"],
        unread=[(name, str(UnreadSheet(why).label)) for name, why in said["unread_sheets"]],
        hidden_columns=said["hidden_columns"],
    )


def _groups(contract: SheetContract, said: Mapping[str, Any], language: str) -> Iterator[tuple[Severity, Problems]]:
    for group in said["problems"]:
        severity, sentence = sentence_of(group["problem"])
        title = _title(contract, group["field"], language, said)
        yield severity, Problems(title, sentence.text(language), group["count"], group["examples"])


def _title(contract: SheetContract, name: str, language: str, said: Mapping[str, Any]) -> str:
    """What a column is called: in English by its name in the sender's sheet, with its English beside it."""
    item = contract.by_name.get(name)
    if item is None:
        return ""
    headers = (each["header"] for each in said["columns"] if each["field"] == name)
    return _called(item.title, next(headers, item.title.zh), language)


def _called(title: Sentence, header: str, language: str) -> str:
    english = title.en
    return f"{header} ({english})" if language == "en" and header != english else title.text(language)


def changes(row: SheetImport, language: str) -> dict[str, Any] | None:
    """What a correction would change, by field and by township."""
    said = row.preview.get("changes")
    if said is None:
        return None
    sheets = row.preview.get("sheets", {}).values()
    headers = {each["field"]: each["header"] for told_of in sheets for each in told_of["columns"]}
    return {
        "values": said["values"],
        "fields": [
            (_called(FIELDS[name].title, headers.get(name, FIELDS[name].title.zh), language), count)
            for name, count in said["fields"].items()
        ],
        "areas": [(full_name(code, below=code[:6]), count) for code, count in said["areas"].items()],
    }


def new(row: SheetImport) -> dict[str, Any] | None:
    """What a first registration would register."""
    said = row.preview.get("new")
    if said is None:
        return None
    areas = [(full_name(code, below=code[:6]), count) for code, count in said["areas"].items()]
    return {"households": said["households"], "persons": said["persons"], "areas": areas}
