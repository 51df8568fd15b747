"""Corrections of who belongs to a household: died, left, struck out, registered twice, missing."""

from __future__ import annotations

from datetime import date

from wanjia.casework.declared import Ask, AskedField
from wanjia.comparison.corrections.kind import (
    APPROVE,
    Intent,
    Planned,
    Said,
    Why,
    codes,
    heads_asked,
    household_asked,
    household_said,
    person_asked,
    person_said,
    placed,
    planned,
    succession,
)
from wanjia.comparison.corrections.matter import CASE, Matter, Unusable
from wanjia.comparison.corrections.person import SEALED_NUMBER
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import code_list
from wanjia.registry import services as registry
from wanjia.registry.choices import DELETED, DIED, HEAD
from wanjia.registry.errors import NumberRegistered
from wanjia.registry.fields import FIELDS, as_text
from wanjia.registry.models import Person
from wanjia.registry.services import Leaving, Newcomer
from wanjia.scope.keys import keyring
from wanjia.scope.viewer import Viewer

REASONS = "member_change_reason"


def died_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    day = AskedField(name="died_on", title=Sentence("去世日期", "Died on"), kind=Ask.DAY, usual=_day(matter, "died_on"))
    return (*person_asked(matter, language), day, *heads_asked(matter, matter.people, language))


def died(matter: Matter, said: Said) -> Intent:
    who, day = person_said(matter, said), date.fromisoformat(said["died_on"])
    born = matter.person(who).birth_date
    if born is not None and day < born:
        raise Unusable("去世日期早于出生日期", "the day of death lies before the day of birth")
    status = str(code_list(REASONS).trait(DIED, "member_status"))
    return _leaves(matter, said, Leaving(who, status, DIED, day))


def left_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    book = code_list(REASONS)
    out = book.with_trait("decrease") - {DIED}
    listed = tuple((code, text) for code, text in codes(REASONS, language) if code in out)
    return (
        *person_asked(matter, language),
        AskedField(name="change_reason", title=Sentence("离户原因", "Why"), kind=Ask.CHOICE, choices=listed),
        AskedField(name="left_on", title=FIELDS["left_on"].title, kind=Ask.DAY, usual=_day(matter, "left_on")),
        *heads_asked(matter, matter.people, language),
    )


def left(matter: Matter, said: Said) -> Intent:
    who, why = person_said(matter, said), said["change_reason"]
    status = str(code_list(REASONS).trait(why, "member_status"))
    return _leaves(matter, said, Leaving(who, status, why, date.fromisoformat(said["left_on"])))


def struck_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    return (*person_asked(matter, language), *heads_asked(matter, matter.people, language))


def struck(matter: Matter, said: Said) -> Intent:
    return _leaves(matter, said, Leaving(person_said(matter, said), DELETED, "", clock.today()))


def _leaves(matter: Matter, said: Said, leaving: Leaving) -> Intent:
    home = matter.home_of(leaving.person_no)
    stay = matter.stays[leaving.person_no]
    if stay.joined_on is not None and leaving.left_on < stay.joined_on:
        raise Unusable("日期早于入户日期", "the day lies before the person joined")
    after = succession(matter, leaving.person_no, said)
    news = {"member_status": leaving.member_status, "left_on": leaving.left_on}
    news |= {"change_reason": leaving.change_reason} if leaving.change_reason else {}
    changes = [planned(stay, name, value, matter.name(leaving.person_no)) for name, value in news.items()]

    def write(viewer: Viewer, why: Why) -> object:
        return registry.remove_members(
            viewer=viewer, household_no=home.pk, leaving=[leaving], reason=why.reason, case_no=why.case_no,
            new_head=after.new_head, former_relations=after.relations, action=APPROVE,
        )  # fmt: skip

    return Intent([*changes, *after.changes], write)


def keep_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    listed = tuple((str(number), placed(matter, matter.stays[number], language)) for number in matter.people)
    title = Sentence("保留哪一处登记", "Which entry stays")
    help_text = Sentence("本人实际共同生活的一户", "Where the person really lives")
    return (
        AskedField(name="keep", title=title, kind=Ask.CHOICE, choices=listed, on_sheet=False, help=help_text),
        *heads_asked(matter, matter.people, language),
    )


def keep(matter: Matter, said: Said) -> Intent:
    """The others leave, each his household; who has left already is let be."""
    kept = int(said["keep"])
    matter.home_of(kept)
    key = matter.person(kept).person_key
    going = [number for number in matter.people if number != kept and matter.stays[number].in_household]
    if not going:
        raise Unusable("另一处已不在户", "the other entry has left already")
    if any(matter.person(number).person_key != key for number in going):
        raise Unusable(
            "两处的证件号码已不相同，请更正号码", "the entries no longer hold one number; correct the number"
        )
    after = {number: succession(matter, number, said) for number in going}
    changes: list[Planned] = []
    for number in going:
        stay = matter.stays[number]
        changes.append(planned(stay, "member_status", DELETED, f"{matter.name(number)} · {stay.household_no}"))
        changes += after[number].changes

    def write(viewer: Viewer, why: Why) -> object:
        return [
            registry.merge_person(
                viewer=viewer, keep=kept, drop=number, reason=why.reason, case_no=why.case_no,
                new_head=after[number].new_head, former_relations=after[number].relations, action=APPROVE,
            )
            for number in going
        ]  # fmt: skip

    return Intent(changes, write)


def added_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    said = matter.evidence
    relation = code_list("relation").code_for(str(said.get("other_hukou_relation") or "")) or ""
    entering = code_list(REASONS).with_trait("increase")
    reasons = tuple((code, text) for code, text in codes(REASONS, language) if code in entering)
    return (
        *household_asked(matter, language),
        AskedField(
            name="name", title=Sentence("新成员姓名", "Name of the new member"),
            usual=str(said.get("other_hukou_name") or ""),
        ),
        SEALED_NUMBER,
        AskedField(
            name="relation", title=FIELDS["relation"].title, kind=Ask.CHOICE,
            choices=codes("relation", language, but=frozenset({HEAD})), usual="" if relation == HEAD else relation,
        ),
        AskedField(name="change_reason", title=Sentence("入户原因", "Why"), kind=Ask.CHOICE, choices=reasons),
        AskedField(
            name="joined_on", title=FIELDS["joined_on"].title, kind=Ask.DAY, usual=_day(matter, "other_moved_in_on")
        ),
        AskedField(
            name="ethnicity", title=FIELDS["ethnicity"].title, kind=Ask.CHOICE, choices=codes("ethnicity", language),
            needed=False,
        ),
    )  # fmt: skip


def added(matter: Matter, said: Said) -> Intent:
    home = household_said(matter, said)
    if not home.is_live:
        raise Unusable("该户已清退或注销", "the household was removed or cancelled")
    newcomer = Newcomer(
        said["name"], said["id_number"], said["relation"], said["change_reason"],
        date.fromisoformat(said["joined_on"]), said.get("ethnicity", ""),
    )  # fmt: skip
    person, stay = registry.newcomer_values(newcomer)
    key = keyring().person_key(str(person["id_number"]))
    if Person.objects.visible_to(CASE).filter(person_key=key).exists():
        raise NumberRegistered
    values = {**person, **stay}
    changes = [Planned(FIELDS[name], "", as_text(value), newcomer.name) for name, value in values.items() if value]
    changes.append(planned(home, "member_count", home.member_count + 1))

    def write(viewer: Viewer, why: Why) -> object:
        return registry.add_member(
            viewer=viewer, household_no=home.pk, newcomer=newcomer, reason=why.reason, case_no=why.case_no,
            action=APPROVE,
        )  # fmt: skip

    return Intent(changes, write)


def _day(matter: Matter, column: str) -> str:
    """The day a department's record gives, if it gives one that can be."""
    text = str(matter.evidence.get(column) or "")
    try:
        return text if text and date.fromisoformat(text) <= clock.today() else ""
    except ValueError:
        return ""
