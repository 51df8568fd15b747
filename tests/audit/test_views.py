"""The pages of the audit, through the site's own URLs and middleware, as people who signed in."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.audit.conftest import officer
from tests.audit.test_services import without_triggers
from tests.factories import accounts
from wanjia.audit import services
from wanjia.audit.choices import Kind
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.models import Opening
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client):
    """Somebody who signed in with a role and an area."""

    def sign_in(role, area="451228"):
        user = accounts.account(f"{role.replace('_', '-')}-{area}", role, area)
        client.post(reverse("accounts:sign_in"), {"username": user.username, "password": accounts.PASSWORD})
        return client

    return sign_in


@pytest.fixture
def receipt(clerk):
    with transaction.atomic():
        return services.record(
            Kind.DISPATCH, viewer=clerk, area="451228104203", act="audit.commit_access", subject=("household", 17),
            details=[services.detail({"n": number}).digest for number in range(3)],
        )  # fmt: skip


def test_the_log_tells_acts_as_sentences(signed_in, receipt):
    page = signed_in("audit_admin").get(reverse("audit:log")).content.decode()
    assert "将 3 条查阅记录存证" in page
    assert reverse("audit:event", args=[receipt.event_id]) in page


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("subject_id=17", True), ("subject_id=18", False), ("actor=17", True), ("actor=18", False),
        ("kind=dispatch", True), ("kind=load", False), ("since=2020-11-16&until=2020-11-16", True),
        ("since=2020-11-17", False), ("until=2020-11-15", False), ("until=9999-12-31", True), ("since=0001-01-01", True),
    ],
)  # fmt: skip
def test_the_log_is_narrowed_by_the_address(signed_in, receipt, query, seen):
    page = signed_in("audit_admin").get(f"{reverse('audit:log')}?{query}").content.decode()
    assert (str(receipt.event_id) in page) is seen


@pytest.mark.parametrize(
    "query", ["subject_id=x", "since=yesterday", "kind='; DROP TABLE log_outbox;--", "actor=99999999999999999999"]
)
def test_a_wrong_filter_is_told_and_breaks_nothing(signed_in, receipt, query):
    client = signed_in("audit_admin")
    for name in ("audit:log", "audit:readings"):
        assert client.get(f"{reverse(name)}?{query}").status_code == 200


def test_a_true_entry_is_green_and_an_altered_one_red(signed_in, clerk):
    with transaction.atomic():
        receipt = services.record(Kind.DISPATCH, viewer=clerk, area="451228", act="audit.commit_access")
    client = signed_in("audit_admin")
    address = reverse("audit:event", args=[receipt.event_id])
    assert "是真的" in client.get(address).content.decode()
    without_triggers()
    Opening.objects.visible_to(system_viewer("audit.verify")).update(actor_id=99)
    page = client.get(address).content.decode()
    assert "核验不通过" in page
    assert "w-status-done" not in page


def test_the_next_county_and_strangers_see_nothing(signed_in, receipt):
    address = reverse("audit:event", args=[receipt.event_id])
    client = signed_in("audit_admin", "451202")
    assert client.get(address).status_code == 404
    assert str(receipt.event_id) not in client.get(reverse("audit:log")).content.decode()
    for name in ("audit:log", "audit:readings"):
        assert Client().get(reverse(name)).status_code == 302
    assert Client().get(address).status_code == 302


def test_without_the_right_there_is_no_log(signed_in):
    client = signed_in("county_office")
    assert client.get(reverse("audit:log")).status_code == 403
    assert client.get(reverse("audit:readings")).status_code == 403


def test_a_page_of_many_is_one_reading_with_the_name_of_the_page(signed_in, clerk):
    with clock.frozen(clock.now()) as advance:
        for page in (range(1, 51), range(51, 101)):
            services.record_access(
                viewer=clerk, action="registry.read", subject_kind="household", subject_ids=page, fields=["head_name"]
            )
            advance(timedelta(seconds=1))
    client = signed_in("audit_admin")
    answer = client.get(reverse("audit:readings"))
    assert [len(row.subject_ids) for row in answer.context["rows"]] == [50, 50]
    assert "户名册" in answer.content.decode()
    assert "，共 50 个" in answer.content.decode()
    one = client.get(reverse("audit:readings"), {"subject_id": 7})
    assert [row.subject_ids for row in one.context["rows"]] == [(7,)]


def test_readings_show_who_looked_and_why(signed_in, clerk):
    services.record_access(
        viewer=clerk,
        action="registry.reveal",
        subject_kind="household",
        subject_ids=[17],
        fields=["phone"],
        reason="电话回访",
    )
    services.record_access(
        viewer=officer(91, "451202"),
        action="registry.reveal",
        subject_kind="household",
        subject_ids=[18],
        fields=["phone"],
        reason="外县",
    )
    page = signed_in("audit_admin").get(reverse("audit:readings")).content.decode()
    assert "电话回访" in page
    assert "外县" not in page
    assert page.count("电话回访") == 1


def acts_of_two(clerk):
    """Three days of a clerk's acts, with somebody else's between them."""
    with clock.frozen(clock.now()) as advance:
        for day in range(3):
            for viewer in (clerk, officer(18, "451228")):
                with transaction.atomic():
                    services.record(
                        Kind.DECISION, viewer=viewer, area="451228104203", act="audit.commit_access",
                        subject=("household", 100 + day),
                    )  # fmt: skip
            advance(timedelta(days=1))


def test_everything_one_person_did_in_the_order_of_time(signed_in, clerk):
    acts_of_two(clerk)
    client = signed_in("auditor")
    lines = client.get(reverse("audit:log"), {"actor": 17, "order": "oldest"}).context["trail"]

    assert [line.subject_id for line in lines] == [100, 101, 102]
    assert {line.actor_id for line in lines} == {17}
    some = client.get(
        reverse("audit:log"), {"actor": 17, "order": "oldest", "since": "2020-11-17", "until": "2020-11-17"}
    )
    assert [line.subject_id for line in some.context["trail"]] == [101]
    text = some.content.decode()
    assert "#17的操作" in text
    assert f"{reverse('audit:readings')}?actor=17&amp;since=2020-11-17&amp;until=2020-11-17" in text
    assert 'href="?actor=17&amp;order=oldest"' in text


def test_what_one_person_did_is_handed_out_as_a_file(signed_in, clerk, receipt):
    acts_of_two(clerk)
    client = signed_in("auditor")
    answer = client.get(reverse("audit:log_export"), {"actor": 17, "order": "oldest"})
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    assert rows[0][:5] == ["时间", "操作人", "操作人编号", "当时的岗位", "操作"]
    assert [row[7] for row in rows[1:-1]] == ["17", "100", "101", "102"]
    assert [row[8] for row in rows[1:-1]] == ["3", "1", "1", "1"]
    assert {row[2] for row in rows[1:-1]} == {"17"}
    assert "导出 4 行" in rows[-1][0]
    entry = Opening.objects.visible_to(system_viewer("audit.trail")).get(act="audit.log_export")
    assert entry.content == {"rows": 4, "format": "csv", "conditions": {"actor": "17"}}


def test_a_file_of_acts_stays_inside_its_readers_area(signed_in, clerk, neighbour):
    with transaction.atomic():
        services.record(Kind.DECISION, viewer=neighbour, area="451202", act="audit.commit_access")
    acts_of_two(clerk)
    answer = signed_in("auditor", "451202").get(reverse("audit:log_export"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert "451202" in text
    assert "451228" not in text


def test_readings_are_narrowed_by_days(signed_in, clerk):
    with clock.frozen(clock.now()) as advance:
        for number in (17, 18, 19):
            services.record_access(
                viewer=clerk, action="registry.read", subject_kind="household", subject_ids=[number], fields=["name"]
            )
            advance(timedelta(days=1))
    client = signed_in("auditor")

    def read(**query):
        rows = client.get(reverse("audit:readings"), query).context["rows"]
        return [number for row in rows for number in row.subject_ids]

    assert read(since="2020-11-17") == [19, 18]
    assert read(since="2020-11-17", until="2020-11-17") == [18]
    assert read(until="2020-11-16", actor="17") == [17]
    assert read(since="0001-01-01", until="9999-12-31") == [19, 18, 17]


def test_the_access_records_own_entries_are_shown_only_when_asked_for(signed_in, receipt):
    with transaction.atomic():
        services.record(
            Kind.LOAD, viewer=system_viewer("audit.commit_access"), area="451228", act="audit.commit_access",
            details=[services.detail({"n": number}).digest for number in range(7)],
        )  # fmt: skip
    browser, address = signed_in("audit_admin"), reverse("audit:log")
    folded = browser.get(address).content.decode()
    assert "将 3 条查阅记录存证" in folded, "what a person did"
    assert "将 7 条查阅记录存证" not in folded
    assert "将 7 条查阅记录存证" in browser.get(f"{address}?system=shown").content.decode()


def test_readings_name_fields_in_words(signed_in, clerk):
    services.record_access(
        viewer=clerk, action="registry.read", subject_kind="household", subject_ids=[7],
        fields=["name", "birth_date", "vehicle_kind"], area="451228104",
    )  # fmt: skip
    services.record_access(
        viewer=clerk, action="files.read", subject_kind="file", subject_ids=[151], fields=["content"], area="451228104"
    )
    page = signed_in("audit_admin").get(reverse("audit:readings")).content.decode()
    for text in ("出生日期、姓名、车辆类型", "文件内容"):
        assert text in page, text
    assert "birth_date" not in page
    assert "vehicle_kind" not in page


@pytest.mark.parametrize(
    ("where", "told"), [("reason", "“原因”"), ("suspect.verify.note", "“说明”"), ("args.values[3]", "填写的内容")]
)
def test_a_number_in_a_text_is_refused_by_the_name_the_field_has_on_its_page(where, told):
    refused = IdentityNumberInPayload(where=where)
    assert refused.sentences("zh")[0].startswith(f"{told}中含有")
    assert "." not in refused.sentences("en")[0].partition(";")[0]
    assert refused.as_dict()["facts"] == {"where": where}
