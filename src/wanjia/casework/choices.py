"""The few closed lists of casework, with the words people read."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from wanjia.kernel.errors import Sentence


class Seat(StrEnum):
    """Whose desk a step stands on: the office of a level, or one named person."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    PERSON = "person"


SEAT_LENGTH = {
    Seat.PROVINCE: 2,
    Seat.CITY: 4,
    Seat.COUNTY: 6,
    Seat.TOWNSHIP: 9,
    Seat.VILLAGE: 12,
    Seat.PERSON: 9,  # a case in one person's hands is counted under his township
}


class Need(StrEnum):
    """What an action asks of the person who performs it."""

    ASSIGNEE = "assignee"
    OUTCOME = "outcome"
    NOTE = "note"
    EVIDENCE = "evidence"
    WHY = "why"
    PLACE = "place"
    REASON = "reason"
    CORRECTION = "correction"
    VISITED_ON = "visited_on"
    MET = "met"


NEED_WORDS: dict[Need, Sentence] = {
    Need.ASSIGNEE: Sentence("核查人", "a verifier"),
    Need.OUTCOME: Sentence("核查结果", "an outcome"),
    Need.NOTE: Sentence("核查说明", "a note"),
    Need.EVIDENCE: Sentence("证明材料", "evidence"),
    Need.WHY: Sentence("退回原因类别", "the kind of reason"),
    Need.PLACE: Sentence("现住地", "the place where they live now"),
    Need.REASON: Sentence("原因", "a reason"),
    Need.CORRECTION: Sentence("整改方式", "the correction"),
    Need.VISITED_ON: Sentence("入户日期", "the date of the visit"),
    Need.MET: Sentence("见到何人", "whom you met"),
}


def in_words(needs: Iterable[Need]) -> Sentence:
    """Several needs as one phrase."""
    words = [NEED_WORDS[need] for need in needs]
    return Sentence("、".join(word.zh for word in words), ", ".join(word.en for word in words))


class Mutes(StrEnum):
    """How long an outcome keeps the same suspicion from coming back."""

    NEVER = "never"  # "could not verify" settles nothing
    EVIDENCE = "evidence"  # until the department's record changes
    UNTIL = "until"  # until the exemption's last day, or the record changes


class SubjectKind(StrEnum):
    """Whom a case is about; a key stands for somebody who is not registered."""

    HOUSEHOLD = "household"
    PERSON = "person"
    KEY = "key"


class Alarm(StrEnum):
    """What the clock has already said about a step."""

    NONE = ""
    YELLOW = "yellow"
    RED = "red"


class Bar(StrEnum):
    """Why somebody may not perform an action on this case, though his role would allow it."""

    OTHER_SEAT = "other_seat"
    OTHER_PERSON = "other_person"
    TOOK_PART = "took_part"
    ENTERED_DATA = "entered_data"
    RELATIVE = "relative"
    SAME_BOOK = "same_book"
    OWN_HOUSEHOLD = "own_household"
    PAIRED = "paired"
    ONLY_DRAWN = "only_drawn"
    PROPOSES = "proposes"
    NO_ROLE = "no_role"
    RETURNED = "returned"
    NO_OFFICE = "no_office"
    NOBODY = "nobody"


BAR_SENTENCES: dict[Bar, Sentence] = {
    Bar.OTHER_SEAT: Sentence("这一步由其他单位办理", "this step belongs to another office"),
    Bar.OTHER_PERSON: Sentence("这一步已指定他人办理", "this step was assigned to somebody else"),
    Bar.TOOK_PART: Sentence(
        "已办理过本件的前一环节，须由另一人办理", "has acted on an earlier step of this case; another person must do it"
    ),
    Bar.ENTERED_DATA: Sentence("该户数据由其录入", "entered this household's data"),
    Bar.RELATIVE: Sentence("与该户有亲属关系", "is a relative of this household"),
    Bar.SAME_BOOK: Sentence(
        "与该户有亲属关系（在同一户口簿上）",
        "is a relative of this household: in one household book with its people",
    ),
    Bar.OWN_HOUSEHOLD: Sentence("是该户家庭成员", "is a member of this household"),
    Bar.PAIRED: Sentence("是该户的帮扶联系人", "is this household's contact"),
    Bar.ONLY_DRAWN: Sentence(
        "须先抽取样本，未抽中的随之销号，不能单独选定",
        "closes with the draw of a sample, which chooses what is looked at again; nobody picks it",
    ),
    Bar.PROPOSES: Sentence("附有整改，须逐件决定", "carries a correction; each is decided by itself"),
    Bar.NO_ROLE: Sentence("没有办理这一步的岗位", "no role for this step"),
    Bar.RETURNED: Sentence(
        "已退回过，上级已决定仍由此处办理",
        "was returned from here before; the level above decided that it stays",
    ),
    Bar.NO_OFFICE: Sentence(
        "目的地还没有可以办理的账号，请先开通", "nobody at its destination has an account to act; open one first"
    ),
    Bar.NOBODY: Sentence("没有可以指派的人员", "nobody may be given it"),
}
