"""The left menu: by task, and only what the viewer may use.

A slice offers its pages in `<slice>/menu.py` as `ITEMS = [MenuItem(...)]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.translation import gettext

from wanjia.ui.addresses import address
from wanjia.ui.discovery import offered
from wanjia.ui.viewing import Looker, looker

SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the menu: a kind of work, in the county office's words (a Chinese message id)."""

    key: str
    title: str
    icon: str


GROUPS = (
    Group("today", "今日工作", "today"),
    Group("compare", "比对核查", "compare"),
    Group("registry", "建档立卡", "household"),
    Group("team", "帮扶队伍", "team"),
    Group("sources", "数据来源", "sources"),
    Group("evidence", "存证", "evidence"),
    Group("settings", "设置", "settings"),
)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page in the menu.

    `title` is a Chinese message id of the slice; `action` the permission the page asks for
    ("signed_in" for everybody); `relation`, if given, that he holds it with exactly this relation, for
    pages about what is one's own; `any_of`, if given, that he may do one of these too, for pages of work to do;
    a smaller `order` stands higher.
    """

    group: str
    title: str
    url_name: str
    action: str
    order: int = 50
    relation: str = ""
    any_of: tuple[str, ...] = ()

    def is_for(self, viewer: Looker) -> bool:
        """Whether this viewer has anything to do there."""
        if self.action == SIGNED_IN:
            return True
        if self.any_of and not any(map(viewer.may, self.any_of)):
            return False
        grants = [grant for grant in viewer.grants if self.action in grant.actions]
        return viewer.may(self.action) and (
            not self.relation or any(grant.relation == self.relation for grant in grants)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A menu item as the page shows it."""

    title: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A group with the entries its viewer may use."""

    title: str
    icon: str
    entries: tuple[Entry, ...]
    current: bool


@cache
def items() -> tuple[MenuItem, ...]:
    """What all slices offer, in the order of the groups; refuses a group nobody knows."""
    rank = {group.key: position for position, group in enumerate(GROUPS)}
    found: list[MenuItem] = []
    for slice_name, module in offered("menu"):
        for item in module.ITEMS:
            if item.group not in rank:
                raise ValueError(f"{slice_name}/menu.py: {item.group} is no group of the menu")
            found.append(item)
    return tuple(sorted(found, key=lambda item: (rank[item.group], item.order, item.title)))


def menu_for(request: HttpRequest) -> tuple[Section, ...]:
    """The sections and entries this request's viewer may use, with the current page marked."""
    viewer = looker(request)
    if viewer is None:
        return ()
    allowed = [item for item in items() if item.is_for(viewer)]
    addresses = {item.url_name: _address(item.url_name) for item in allowed}
    current = _current(request.path, [address for address in addresses.values() if address])
    sections = []
    for group in GROUPS:
        entries = tuple(
            Entry(gettext(item.title), address, address == current)
            for item in allowed
            if item.group == group.key and (address := addresses[item.url_name])
        )
        if entries:
            sections.append(Section(gettext(group.title), group.icon, entries, any(entry.current for entry in entries)))
    return tuple(sections)


def _address(url_name: str) -> str:
    try:
        return address(url_name)
    except NoReverseMatch:
        return ""  # the slice is installed without its pages


def _current(path: str, addresses: list[str]) -> str:
    """The longest address the path begins with; the root counts only for itself."""
    fitting = [address for address in addresses if path == address or (address != "/" and path.startswith(address))]
    return max(fitting, key=len, default="")
