"""What the components need from slices above: names of areas, labels of codes, the task count.

`ui` stands below every slice with field words, so those slices hand their look-ups in when
they start (`AppConfig.ready`). Until they do, the components show the bare code: a page
never fails for want of a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wanjia.ui.viewing import Looker

AreaNames = Callable[[Iterable[str]], Mapping[str, str]]
AreaPath = Callable[[str], Iterable[tuple[str, str]]]
AreaChildren = Callable[[str], Iterable[tuple[str, str]]]
CodeLabel = Callable[[str, str, str], str]
TaskCount = Callable[["Looker"], int]


@dataclass(frozen=True, slots=True)
class TaskSource:
    """Matters of one kind that wait for people, and the page that lists them.

    `action` is the permission without which none wait for anybody ("" for everybody), so that it is
    not even counted; of several kinds a smaller `order` comes first.
    """

    count: TaskCount
    action: str
    url_name: str
    query: str = ""
    order: int = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many matters of one kind wait for a viewer, and where he finds them."""

    n: int
    url_name: str
    query: str


@dataclass(slots=True)
class _Hooks:
    area_names: AreaNames | None = None
    area_path: AreaPath | None = None
    area_children: AreaChildren | None = None
    code_label: CodeLabel | None = None
    task_sources: list[TaskSource] = field(default_factory=list)


_hooks = _Hooks()


def register_area_names(names_of: AreaNames) -> None:
    """`names_of(codes)` gives the name of each code it knows."""
    _hooks.area_names = names_of


def register_area_tree(path_of: AreaPath, children_of: AreaChildren) -> None:
    """`path_of(code)` gives (code, name) from the province down; `children_of(code)` the next level."""
    _hooks.area_path = path_of
    _hooks.area_children = children_of


def register_code_labels(label: CodeLabel) -> None:
    """`label(code_list, value, language)` gives the label of a value, or "" when there is none."""
    _hooks.code_label = label


def register_tasks(source: TaskSource) -> None:
    """Matters that wait for people; their number is shown beside 我的待办. One source for each page."""
    _hooks.task_sources = [*(each for each in _hooks.task_sources if each.url_name != source.url_name), source]


def area_name(code: str) -> str:
    """The name of one area; the code itself when nobody knows it."""
    if not code or _hooks.area_names is None:
        return code
    return _hooks.area_names([code]).get(code, code)


def area_path(code: str) -> tuple[tuple[str, str], ...]:
    """(code, name) from the province down to `code`."""
    if not code:
        return ()
    return tuple(_hooks.area_path(code)) if _hooks.area_path else ((code, area_name(code)),)


def area_children(code: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of the areas one level below `code`."""
    return tuple(_hooks.area_children(code)) if _hooks.area_children else ()


def code_label(code_list: str, value: str, language: str) -> str:
    """The label of `value`, or the value itself."""
    return (_hooks.code_label(code_list, value, language) if _hooks.code_label else "") or value


def tasks(viewer: Looker) -> list[Waiting]:
    """What may wait for the viewer, kind by kind in their order; empty when nobody counts."""
    sources = sorted(_hooks.task_sources, key=lambda source: (source.order, source.url_name))
    return [
        Waiting(source.count(viewer), source.url_name, source.query)
        for source in sources
        if not source.action or viewer.may(source.action)
    ]
