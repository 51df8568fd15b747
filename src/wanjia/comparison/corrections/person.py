"""Corrections of one person: name, number, relation, support, health."""

from __future__ import annotations

from wanjia.casework.declared import Ask, AskedField
from wanjia.comparison.corrections.kind import (
    Intent,
    Said,
    codes,
    combined,
    editing,
    person_asked,
    person_said,
)
from wanjia.comparison.corrections.matter import CASE, Matter, Unusable
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import code_list
from wanjia.registry.choices import DISABLED, HEAD
from wanjia.registry.errors import NumberRegistered
from wanjia.registry.fields import FIELDS
from wanjia.registry.models import Person
from wanjia.registry.queries import belongs_somewhere
from wanjia.registry.services import Edit, number_values
from wanjia.scope.keys import keyring

ON, CATEGORY = "on", "household_category"


def name_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    usual = str(matter.evidence.get("hukou_name") or "")
    asked = AskedField(
        name="name",
        title=Sentence("更正后的姓名", "Right name"),
        usual=usual,
        help=Sentence("照身份证或户口簿填写", "As on the identity card or in the household book"),
    )
    return (*person_asked(matter, language), asked)


def name(matter: Matter, said: Said) -> Intent:
    who = _member(matter, said)
    return editing(matter, [Edit("name", said["name"], person_no=who)])


def number_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    return (*person_asked(matter, language), SEALED_NUMBER)


SEALED_NUMBER = AskedField(
    name="id_number",
    title=FIELDS["id_number"].title,
    kind=Ask.SEALED,
    on_sheet=False,
    help=Sentence(
        "照证件原件填写 18 位身份证号或 20、22 位残疾人证号；加密保存，不进入表格",
        "All 18 characters of the card, or 20 or 22 of a disability certificate; kept encrypted, never in a sheet",
    ),
)


def number(matter: Matter, said: Said) -> Intent:
    """With what follows from it. Raises NumberRegistered where it is another member's."""
    who = _member(matter, said)
    news = number_values(said["id_number"])
    key = keyring().person_key(str(news["id_number"]))
    holders = Person.objects.visible_to(CASE).filter(person_key=key).exclude(pk=who)
    if any(belongs_somewhere(person.pk) for person in holders):
        raise NumberRegistered
    return editing(matter, [Edit(field, value, person_no=who) for field, value in news.items()])


def relation_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    listed = codes("relation", language, but=frozenset({HEAD}))
    asked = AskedField(name="relation", title=FIELDS["relation"].title, kind=Ask.CHOICE, choices=listed)
    return (*person_asked(matter, language), asked)


def relation(matter: Matter, said: Said) -> Intent:
    who = _member(matter, said)
    if matter.stays[who].relation == HEAD:
        raise Unusable("户主与户主的关系不能更正，请更换户主", "he is the head; change the head instead")
    return editing(matter, [Edit("relation", said["relation"], person_no=who)])


def dibao_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    return _support_asked(matter, language, "on_dibao")


def tekun_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    return _support_asked(matter, language, "on_tekun")


def _support_asked(matter: Matter, language: str, field: str) -> tuple[AskedField, ...]:
    words = ("yes", "no") if language.startswith("en") else ("是", "否")
    year = matter.year_of(matter.people[0])
    usual = "false" if year is not None and getattr(year, field) else "true"
    return (
        *person_asked(matter, language),
        AskedField(
            name=ON, title=FIELDS[field].title, kind=Ask.CHOICE,
            choices=(("true", words[0]), ("false", words[1])), usual=usual,
        ),
        AskedField(
            name=CATEGORY, title=FIELDS[CATEGORY].title, kind=Ask.CHOICE, choices=codes(CATEGORY, language),
            needed=False, help=Sentence("户的属性一并变化时填写", "Where the household's category changes with it"),
        ),
    )  # fmt: skip


def dibao(matter: Matter, said: Said) -> Intent:
    return _support(matter, said, "on_dibao", "on_tekun")


def tekun(matter: Matter, said: Said) -> Intent:
    return _support(matter, said, "on_tekun", "on_dibao")


def _support(matter: Matter, said: Said, field: str, other: str) -> Intent:
    """The two kinds of support exclude each other (domain.md §4.3)."""
    who = _member(matter, said)
    edits = [Edit(field, said[ON], person_no=who)]
    year = matter.year_of(who)
    if said[ON] == "true" and year is not None and getattr(year, other):
        edits.append(Edit(other, "false", person_no=who))
    if said.get(CATEGORY):
        edits.append(Edit(CATEGORY, said[CATEGORY], household_no=matter.stays[who].household_no))
    return editing(matter, edits)


def health_asked(matter: Matter, language: str) -> tuple[AskedField, ...]:
    kinds, grades = (
        code_list(name).code_for(str(matter.evidence.get(name) or "")) or ""
        for name in ("disability_type", "disability_grade")
    )
    only = Sentence("登记残疾时填写，以残疾人证为准", "With a disability, as on the certificate")
    return (
        *person_asked(matter, language),
        AskedField(
            name="health", title=FIELDS["health"].title, kind=Ask.CHOICE, choices=combined("health", language),
            usual=_usual_health(matter, certified=bool(kinds)),
        ),
        AskedField(
            name="disability_type", title=FIELDS["disability_type"].title, kind=Ask.CHOICE,
            choices=codes("disability_type", language), usual=kinds, needed=False, help=only,
        ),
        AskedField(
            name="disability_grade", title=FIELDS["disability_grade"].title, kind=Ask.CHOICE,
            choices=codes("disability_grade", language), usual=grades, needed=False, help=only,
        ),
    )  # fmt: skip


def _usual_health(matter: Matter, *, certified: bool) -> str:
    """What is registered, with or without the disability a certificate says or does not say; nothing for a sheet."""
    year = matter.year_of(matter.people[0])
    if not matter.evidence:
        return ""
    known = {code for code in (year.health if year is not None else "").split(",") if code} - {DISABLED}
    if certified:
        known = (known - code_list("health").with_trait("excludes_others")) | {DISABLED}
    return ",".join(sorted(known))


def health(matter: Matter, said: Said) -> Intent:
    """A disability has a kind and a grade, and they go with it."""
    who = _member(matter, said)
    kind, grade = said.get("disability_type", ""), said.get("disability_grade", "")
    disabled = DISABLED in said["health"].split(",")
    if disabled and not (kind and grade):
        raise Unusable("登记残疾须填残疾类别和等级", "a disability needs its kind and grade")
    if not disabled:
        kind = grade = ""
    news = {"health": said["health"], "disability_type": kind, "disability_grade": grade}
    return editing(matter, [Edit(field, value, person_no=who) for field, value in news.items()])


def _member(matter: Matter, said: Said) -> int:
    """The person meant, who belongs to a live household of the case. Raises Unusable."""
    who = person_said(matter, said)
    matter.home_of(who)
    return who
