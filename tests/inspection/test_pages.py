"""The desk as its auditor meets it, and what others get of it."""

import csv
import io
import re

import pytest

from tests.factories import accounts as factory
from wanjia.audit.queries import found
from wanjia.inspection.models import Sample
from wanjia.kernel.drawing import drawn, lot

DRAW = "/inspection/draw/"
SEED = "双色球 03 08 19 24 26 32"


def value(page, name):
    return re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())[1]


def confirmed(client, address=f"{DRAW}?state=all", **typed):
    """The form as the page shows it, with what the auditor types."""
    page = client.get(address)
    assert page.status_code == 200, page.content.decode()
    shown = {name: value(page, name) for name in ("expected", "digest")}
    return client.post(address, {**shown, "seed": SEED, "size": "3", **typed})


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.fixture
def sample(cases, browser, auditor):
    assert confirmed(browser()).status_code == 302
    return Sample.objects.visible_to(auditor).get()


def test_the_desk_says_how_to_start(cases, browser):
    page = text_of(browser().get("/inspection/"))

    assert "审计从这里开始" in page
    assert "您还没有抽过样本。" in page


def test_the_auditors_home_says_how_to_start(cases, browser, office):
    assert "审计从这里开始" in text_of(browser().get("/"))
    assert "审计从这里开始" not in text_of(factory.client_for(office.users["county"]).get("/"))


def test_a_sample_is_drawn_and_listed(sample, browser, auditor, cases):
    client = browser()
    page = text_of(client.get(f"/inspection/samples/{sample.pk}/"))

    assert sample.numbers == drawn(cases, 3, SEED)
    assert f"样本：{len(cases)} 件中的 3 件" in page
    assert SEED in page
    assert sample.population_digest in page
    order = [
        int(number)
        for number in re.findall(
            r'class="w-num">(\d+)</td>', client.get(f"/inspection/samples/{sample.pk}/").content.decode()
        )
    ]
    assert order == sample.numbers
    assert f"样本 {sample.pk}" in text_of(client.get("/inspection/"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"seed": ""}, "这个字段是必填项。"),
        ({"seed": "   "}, "这个字段是必填项。"),
        ({"seed": "零\u200b宽"}, "随机种子为空、超过 200 个字，或含有换行等看不见的字符"),
        ({"size": "0"}, "确保该值大于或等于1。"),
        ({"size": "-3"}, "确保该值大于或等于1。"),
        ({"size": ""}, "这个字段是必填项。"),
        ({"size": "三"}, "输入整数。"),
        ({"size": "13"}, "最多 12 件。"),
        ({"size": "9" * 30}, "确保该值小于或等于"),
        ({"seed": "459999198001010015"}, "含有明文身份证号码"),
    ],
)
def test_what_was_typed_wrongly_is_told_and_kept(cases, browser, auditor, typed, said):
    answer = confirmed(browser(), **typed)

    assert answer.status_code in (400, 422)
    assert said in text_of(answer)
    assert not Sample.objects.visible_to(auditor).exists()
    if "size" in typed:
        assert f'value="{SEED}"' in answer.content.decode()


def test_a_population_that_changed_is_shown_anew_and_the_seed_is_kept(cases, browser, auditor):
    answer = confirmed(browser(), digest="0" * 64)

    assert answer.status_code == 409
    assert "总体在您确认之后有变动" in text_of(answer)
    assert value(answer, "digest") != "0" * 64
    assert f'value="{SEED}"' in answer.content.decode()
    assert not Sample.objects.visible_to(auditor).exists()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("decided_from=2020-02-30", "输入一个有效的日期。"),
        ("decided_from=0001-01-01", "没有这一天的记录，请核对年份。"),
        ("decided_from=2020-11-16&decided_to=2020-11-15", "止日早于起日。"),
        ("topic=RA-99", "选择一个有效的选项"),
        ("state=open;drop", "选择一个有效的选项"),
    ],
)
def test_conditions_that_make_no_sense_are_told(cases, browser, query, said):
    answer = browser().get(f"{DRAW}?{query}")

    assert answer.status_code == 400
    assert said in text_of(answer)
    assert 'name="seed"' not in answer.content.decode()


@pytest.mark.parametrize("area", ["451229", "45", "4512", "99", "%00", "abc"])
def test_an_area_outside_his_own_is_not_found(cases, browser, area):
    answer = browser().get(f"{DRAW}?area={area}")

    assert answer.status_code == 404
    assert "它不在您的审计范围内" in text_of(answer)


def test_an_empty_population_says_so(cases, browser):
    assert "这个总体里没有核查件。" in text_of(browser().get(f"{DRAW}?state=closed"))


def test_a_sample_of_another_auditor_is_not_found(sample, browser):
    for other in ("colleague", "above", "neighbour"):
        for tail in ("", "population/"):
            answer = browser(other).get(f"/inspection/samples/{sample.pk}/{tail}")
            assert answer.status_code == 404
            assert SEED not in answer.content.decode()


def test_other_roles_are_refused(sample, db):
    for role, area in (("county_office", "451228"), ("audit_admin", "451228"), ("province_data_officer", "45")):
        client = factory.client_for(factory.account(f"x-{role.replace('_', '-')}", role, area))
        for address in ("", "draw/", f"samples/{sample.pk}/", f"samples/{sample.pk}/population/"):
            assert client.get(f"/inspection/{address}").status_code == 403


def test_the_population_is_handed_out_with_every_lot(sample, browser, cases, auditor):
    answer = browser().get(f"/inspection/samples/{sample.pk}/population/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))

    listed = [(int(number), digest.lstrip("'"), order) for number, digest, order in rows[1:-1]]
    assert [number for number, _, _ in listed] == cases
    assert all(digest == lot(SEED, number).hex() for number, digest, _ in listed)
    by_sorting = [number for number, _, _ in sorted(listed, key=lambda row: row[1])][:3]
    assert by_sorting == [n for n, _, order in sorted(listed, key=lambda row: row[2] or "9") if order] == sample.numbers
    assert "导出 12 行" in rows[-1][0]
    assert [row.act for row in found(auditor, {"kind": "export"})] == ["inspection.population"]
