"""Filters of lists that people keep under names of their own (design.md §5).

A saved filter is what the address of a list can say and nothing more. Opened, it is that address
again: the list reads it as any other, and shows the rows its reader may see on that day.

A slice with such a list declares it when it starts, and puts `bar(…)` above it:

    saved.declare(SavableList("cases", Sentence("核查件", "Cases"), "casework:list"))

Keeping one is a preference, like the language one reads: no act, and not recorded. A bulk act
that repeats a filter records its conditions itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from wanjia.accounts.errors import FilterNameTaken, FilterTooLong, TooManyFilters
from wanjia.accounts.forms import FilterNameForm
from wanjia.accounts.models import LONGEST_FILTER, SavedFilter, User
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal, Sentence
from wanjia.reference.queries import parameter
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.ui.viewing import may_look_at

MOST = "lists.saved_filters_most"


@dataclass(frozen=True, slots=True)
class SavableList:
    """A list whose filter stands in its address: `url_name` takes no argument and reads it from there."""

    code: str
    title: Sentence
    url_name: str


_lists: dict[str, SavableList] = {}


def declare(savable: SavableList) -> None:
    """Make a list known; called from `AppConfig.ready`."""
    _lists[savable.code] = savable


@dataclass(frozen=True, slots=True)
class Line:
    """One of a person's filters. `address` is empty where the area it names is no longer within his reach."""

    id: int
    name: str
    page: str
    title: str
    query: str
    address: str
    saved_on: date


# -- reading


def lines(viewer: Viewer, page: str = "") -> list[Line]:
    """The viewer's own filters, of one list or of all, by list and name."""
    rows = _own(viewer).order_by("page", "name")
    return [_line(viewer, row) for row in (rows.filter(page=page) if page else rows) if row.page in _lists]


def filter_for(viewer: Viewer, filter_id: int) -> SavedFilter:
    """One of his. Raises NotVisible."""
    row = _own(viewer).filter(pk=filter_id).first()
    if row is None:
        raise NotVisible(kind="saved filter")
    return row


def most() -> int:
    """How many filters one person may keep today."""
    return int(parameter(MOST, clock.today()))


def as_query(conditions: Mapping[str, str]) -> str:
    """The conditions as an address says them; the same text for the same conditions."""
    query = QueryDict(mutable=True)
    query.update(dict(sorted((name, value) for name, value in conditions.items() if value)))
    return query.urlencode()


# -- writing


@transaction.atomic
def save(*, viewer: Viewer, page: str, name: str, conditions: Mapping[str, str]) -> SavedFilter:
    """Keep a filter of the list `page` under `name`, which is not taken yet.

    Raises FilterNameTaken, TooManyFilters, FilterTooLong, IdentityNumberInPayload.
    """
    query = as_query(conditions)
    refuse_identity_numbers({"name": name, **conditions}, _("常用筛选"))
    if len(query) > LONGEST_FILTER:
        raise FilterTooLong(most=LONGEST_FILTER)
    # two saved at once wait for each other here, so that neither overlooks the other
    User.objects.visible_to(system_viewer("accounts.own")).select_for_update().get(pk=viewer.user_id)
    if _own(viewer).filter(page=page, name=name).exists():
        raise FilterNameTaken(name=name)
    if _own(viewer).count() >= (limit := most()):
        raise TooManyFilters(most=limit)
    row = SavedFilter(user_id=viewer.user_id, page=page, name=name, query=query, saved_on=clock.today())
    row.save(force_insert=True)
    return row


@transaction.atomic
def rename(*, viewer: Viewer, filter_id: int, name: str) -> SavedFilter:
    """Give one of his filters another name. Raises NotVisible, FilterNameTaken, IdentityNumberInPayload."""
    refuse_identity_numbers(name, _("常用筛选"))
    row = filter_for(viewer, filter_id)
    row.name = name
    try:
        with transaction.atomic():
            row.save(update_fields=["name"])
    except IntegrityError:
        raise FilterNameTaken(name=name) from None
    return row


def remove(*, viewer: Viewer, filter_id: int) -> None:
    """Forget one of his filters. Raises NotVisible."""
    filter_for(viewer, filter_id).delete()


# -- above a list


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands above a list: the reader's filters for it, the one he looks at, and a form to keep this one."""

    lines: list[Line]
    query: str
    form: Form

    @property
    def shown(self) -> list[tuple[Line, bool]]:
        """The filters, each with whether the list shows it now."""
        return [(line, line.query == self.query) for line in self.lines]

    @property
    def is_new(self) -> bool:
        """Whether nobody has kept what the list shows now."""
        return all(line.query != self.query for line in self.lines)


def bar(viewer: Viewer, page: str, conditions: Mapping[str, str], form: Form | None = None, here: str = "") -> Bar:
    """The bar of the list `page` narrowed to `conditions`; `form` where one was refused.

    `here` is the address under which the filters open, where that is not the list's own.
    """
    found = lines(viewer, page)
    if here:
        found = [replace(line, address=f"{here}?{line.query}" if line.address else "") for line in found]
    return Bar(found, as_query(conditions), form or FilterNameForm(auto_id="filter-%s"))


def saved_from(request: ViewerRequest, page: str, conditions: Mapping[str, str]) -> Form | None:
    """Keep what a list shows under the name that was posted; the form with what is wrong, or None once it is kept."""
    form = FilterNameForm(request.POST, auto_id="filter-%s")
    if not form.is_valid():
        return form
    try:
        row = save(viewer=request.viewer, page=page, name=form.cleaned_data["name"], conditions=conditions)
    except Refusal as refusal:
        form.add_error("name", " ".join(refusal.sentences(get_language() or "zh")))
        return form
    messages.success(request, _("已保存为常用筛选“%(name)s”。") % {"name": row.name})
    return None


def _own(viewer: Viewer) -> QuerySet[SavedFilter]:
    return SavedFilter.objects.filter(user_id=viewer.user_id)


def _line(viewer: Viewer, row: SavedFilter) -> Line:
    savable = _lists[row.page]
    area = QueryDict(row.query).get("area", "")
    reachable = not area or may_look_at(viewer, area)
    return Line(
        id=row.pk,
        name=row.name,
        page=row.page,
        title=savable.title.text(get_language() or "zh"),
        query=row.query,
        address=f"{reverse(savable.url_name)}?{row.query}" if reachable else "",
        saved_on=row.saved_on,
    )
