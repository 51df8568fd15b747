"""The delivery pages through the whole middleware: an upload, its reading in the background, a decision."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.factories.accounts import account, client_for
from tests.factories.sources import delivery, number, row
from wanjia.divisions.services import load_divisions
from wanjia.jobs.services import cancel
from wanjia.jobs.worker import run_pending
from wanjia.reference.services import load_reference
from wanjia.scope.system import system_viewer
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch

# jobs end in durable transactions of their own
pytestmark = pytest.mark.django_db(transaction=True)
UPLOAD, LIST = "/sources/upload/", "/sources/"


@pytest.fixture
def officer(db):
    """A data officer of the public security department, signed in."""
    load_reference()
    return client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))


def file(text=None, name="vehicles.csv", encoding="gb18030"):
    content = text if isinstance(text, bytes) else (delivery() if text is None else text).encode(encoding)
    return SimpleUploadedFile(name, content, "text/csv")


def handed_in(client, text=None):
    answer = client.post(UPLOAD, {"file": file(text), "dataset": "", "area": "45"})
    assert answer.status_code == 302, answer.content.decode()
    return Batch._base_manager.get(pk=int(answer["Location"].strip("/").split("/")[-1]))


def read(client, text=None):
    batch = handed_in(client, text)
    run_pending()
    batch.refresh_from_db()
    return batch


def test_an_uploaded_file_shows_its_progress_and_then_its_preview(officer):
    batch = handed_in(officer)
    waiting = officer.get(batch.get_absolute_url()).content.decode()
    assert "待读取" in waiting
    assert 'hx-select="#batch"' in waiting

    run_pending()

    page = officer.get(batch.get_absolute_url()).content.decode()
    assert "采纳 3 行" in page
    assert "GB18030" in page
    assert 'hx-select="#batch"' not in page


def test_the_page_shows_problems_with_counts_and_examples_and_no_personal_value(officer):
    rows = [
        row(1),
        row(2, 初次登记日期="不详"),
        row(3, 初次登记日期="不详", 所有人="蓝大海"),
        row(4, 身份证明号码="4.56E+17"),
    ]
    batch = read(officer, delivery(rows))

    page = officer.get(batch.get_absolute_url()).content.decode()
    assert "不是日期" in page
    assert "4：不详" in page
    assert "4.56E+17" in page
    for secret in (number(1), "蓝大海", "韦英"):
        assert secret not in page


def test_accepting_and_fetching_the_reject_sheet(officer):
    batch = read(officer, delivery([row(1), row(2, 所有人="")]))
    sheet = officer.get(reverse("sources:reject_sheet", args=[batch.pk]))
    content = b"".join(sheet.streaming_content).decode("utf-8-sig")
    assert sheet["Content-Disposition"] == f'attachment; filename="rejects-{batch.pk}.csv"'
    assert content.splitlines()[0].endswith(",问题")
    assert content.splitlines()[1].endswith(",所有人必填项为空")

    answer = officer.post(reverse("sources:accept", args=[batch.pk]), follow=True)

    assert "已采纳 1 行。" in answer.content.decode()
    batch.refresh_from_db()
    assert batch.status == BatchStatus.ACCEPTED


def test_sending_back_needs_a_reason(officer):
    batch = read(officer)
    refuse = reverse("sources:reject", args=[batch.pk])

    assert officer.post(refuse, {"reason": " "}).status_code == 422
    officer.post(refuse, {"reason": "请按季度重报"})

    batch.refresh_from_db()
    assert (batch.status, batch.decision_note) == (BatchStatus.REJECTED, "请按季度重报")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + b"\0" * 40, "xlsx"),
        ("姓名,电话\r\n韦英,1\r\n".encode(), "死亡日期"),
    ],
)
def test_a_refused_file_tells_the_cure_and_leaves_nothing(officer, content, said):
    answer = officer.post(UPLOAD, {"file": file(content), "dataset": "", "area": "45"})

    assert answer.status_code in (415, 422)
    assert said in answer.content.decode() or "CSV" in answer.content.decode()
    assert not Batch._base_manager.exists()


def test_a_file_broken_further_down_says_so_on_its_page(officer):
    batch = read(officer, delivery(footer=False)[:-40])

    page = officer.get(batch.get_absolute_url()).content.decode()
    assert batch.status == BatchStatus.UNREADABLE
    assert "最后一行不完整" in page
    assert "重新导出" in page
    assert f'href="{UPLOAD}"' in page


def test_another_department_sees_nothing_of_it(officer):
    batch = read(officer)
    other = client_for(account("housing", "department_officer", "45", relation="own_department", department="zhujian"))

    assert batch.file_name not in other.get(LIST).content.decode()
    for name in ("batch", "reject_sheet"):
        assert other.get(reverse(f"sources:{name}", args=[batch.pk])).status_code == 404
    assert other.post(reverse("sources:accept", args=[batch.pk])).status_code == 404
    refused = other.post(UPLOAD, {"file": file(delivery([row(8)])), "dataset": "", "area": "45"})
    assert refused.status_code == 403
    assert "这份文件识别为“机动车登记信息”" in refused.content.decode()
    assert 'type="file"' in refused.content.decode(), "the form to choose another"


def test_the_same_file_again_names_the_earlier_batch(officer):
    batch = read(officer)

    answer = officer.post(UPLOAD, {"file": file(), "dataset": "", "area": "45"})

    assert answer.status_code == 409
    assert f"第 {batch.pk} 批" in answer.content.decode()
    assert "请先退回原批次" in answer.content.decode()
    assert f'href="{batch.get_absolute_url()}"' in answer.content.decode()
    officer.post(reverse("sources:accept", args=[batch.pk]))
    answer = officer.post(UPLOAD, {"file": file(), "dataset": "", "area": "45"})
    assert "请先撤回原批次" in answer.content.decode()


def test_accepting_says_beforehand_what_it_replaces(officer):
    first = read(officer)
    assert "采纳后用于比对，不替代别的批次" in officer.get(first.get_absolute_url()).content.decode()
    officer.post(reverse("sources:accept", args=[first.pk]))
    second = read(officer, delivery([row(1), row(2), row(3, 号牌号码="桂M99999")]))
    assert f"采纳后替代第 {first.pk} 批" in officer.get(second.get_absolute_url()).content.decode()


def test_a_row_of_totals_that_counts_other_rows_than_there_are_holds_the_delivery(officer):
    text = delivery([row(serial) for serial in range(1, 7)]).replace("6辆", "10辆")
    batch = read(officer, text)
    assert batch.status == BatchStatus.HELD
    assert "合计行写明共 10 条，文件中有 6 条" in officer.get(batch.get_absolute_url()).content.decode()
    batch = read(officer, delivery([row(1), row(2)]).replace("2辆", "5人"))
    assert batch.status == BatchStatus.PREVIEWED, "people may stand in several rows"


def test_a_page_that_is_not_for_ones_role_names_the_permission_in_words(db):
    load_reference()
    auditor = client_for(account("watch", "auditor", "45"))
    page = auditor.get(UPLOAD).content.decode()
    assert "sources.load" not in page
    assert "您的岗位不能进行此操作（接收部门数据）" in page


def test_a_reading_that_failed_can_be_asked_for_again(officer):
    batch = handed_in(officer)
    cancel(viewer=system_viewer("jobs.schedule"), job_id=batch.job_id)
    assert "读取文件" in officer.get(batch.get_absolute_url()).content.decode()

    officer.post(reverse("sources:read_again", args=[batch.pk]))
    run_pending()

    batch.refresh_from_db()
    assert batch.status == BatchStatus.PREVIEWED


def sent(client, name, area, text=None):
    answer = client.post(UPLOAD, {"file": file(text, name=name), "dataset": "", "area": area})
    assert answer.status_code == 302, answer.content.decode()
    number = int(answer["Location"].strip("/").split("/")[-1])
    return Batch._base_manager.get(pk=number), re.sub(r"<[^>]+>", "", client.get(answer["Location"]).content.decode())


def test_the_area_is_what_the_files_name_or_title_says(officer):
    load_divisions()
    nothing = delivery([row(4)], title="机动车登记信息")
    assert sent(officer, "2020年9月.csv", "")[0].area == "451228", "by its title"
    assert sent(officer, "大化县机动车.csv", "", delivery([row(5)], title=None))[0].area == "451229", "by its name"
    batch, page = sent(officer, "机动车.csv", "", nothing)
    assert (batch.area, batch.named_area) == ("45", ""), "nothing is said: the whole region"
    assert "文件名或标题写的是" not in page

    batch, page = sent(officer, "都安机动车.csv", "45", delivery([row(6)], title=None))
    assert (batch.area, batch.named_area) == ("45", "451228")
    assert "文件名或标题写的是“都安瑶族自治县”，覆盖范围却是“广西壮族自治区”" in page
    assert "文件名或标题写的是" not in sent(officer, "都安机动车.csv", "451228", delivery([row(7)], title=None))[1]


def test_a_place_named_outside_ones_own_is_not_taken_but_told(db):
    load_reference()
    load_divisions()
    county = client_for(
        account("dutraffic", "department_officer", "451228", relation="own_department", department="gongan")
    )
    batch, page = sent(county, "大化县机动车.csv", "", delivery([row(5)], title=None))
    assert (batch.area, batch.named_area) == ("451228", "451229")
    assert "文件名或标题写的是“大化瑶族自治县”" in page
    assert "按文件名或标题" in county.get(UPLOAD).content.decode()
