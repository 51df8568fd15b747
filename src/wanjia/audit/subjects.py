"""What an act can be about, and who may read the history of one such thing.

Reading any history needs `audit.read` over its area. Whoever may open a case or a household may
also read what was done to that one: its owner says so here, with a function that answers for one
viewer and one number.

    subjects.declare(Subject("household", Sentence("户", "Household"), visible=may_see_household))
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from wanjia.kernel.errors import Sentence
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of subject: its title, and whether `visible(viewer, number)` may read its history."""

    kind: str
    title: Sentence
    visible: Callable[[Viewer, int], bool]
    url_name: str = ""  # a route taking the number as its only argument


_subjects: dict[str, Subject] = {}


def declare(subject: Subject) -> None:
    """Make a kind of subject known; called from `AppConfig.ready`."""
    _subjects[subject.kind] = subject


def may_read_history(viewer: Viewer, kind: str, number: int) -> bool:
    """Whether `viewer` may read all that was done to this one subject."""
    subject = _subjects.get(kind)
    return viewer.is_system or (subject is not None and subject.visible(viewer, number))


def declared() -> tuple[Subject, ...]:
    """Every kind of subject, by its title."""
    return tuple(sorted(_subjects.values(), key=lambda subject: subject.kind))


def title(kind: str, language: str) -> str:
    """The kind in words; the kind itself when nobody declared it."""
    subject = _subjects.get(kind)
    return subject.title.text(language) if subject else kind


def url_name(kind: str) -> str:
    """The route of a subject's page, or ""."""
    subject = _subjects.get(kind)
    return subject.url_name if subject else ""


_fields: dict[str, Sentence] = {
    "name": Sentence("姓名", "name"),
    "head_name": Sentence("户主姓名", "name of the head"),
    "evidence": Sentence("疑点记录和证明材料", "record and proof"),
    "record": Sentence("部门记录", "department's record"),
    "content": Sentence("文件内容", "content"),
    "history": Sentence("办理经过", "history"),
}
_more: list[Callable[[], Mapping[str, Sentence]]] = []


def declare_fields(more: Callable[[], Mapping[str, Sentence]]) -> None:
    """`more()` gives the words for further fields that are read; asked when a page of readings is shown."""
    if more not in _more:
        _more.append(more)


def fields_read(fields: str, language: str) -> str:
    """Comma-separated fields in words; one nobody declared as it is called in the program."""
    words = dict(_fields)
    for more in _more:
        words = {**more(), **words}
    told = [words[name].text(language) if name in words else name for name in fields.split(",") if name]
    return (", " if language.startswith("en") else "、").join(told)


_pages: dict[tuple[str, str, str], Sentence] = {}


def declare_page(action: str, kind: str, title: Sentence, *, fields: Collection[str] = ()) -> None:
    """Say on which page the readings of `kind` under `action` are made; with `fields`, those of exactly these."""
    _pages[action, kind, ",".join(sorted(fields))] = title


def page_read(action: str, kind: str, fields: str, language: str) -> str:
    """The page on which `fields`, comma-separated and sorted, were read, or ""."""
    found = _pages.get((action, kind, fields)) or _pages.get((action, kind, ""))
    return found.text(language) if found else ""
