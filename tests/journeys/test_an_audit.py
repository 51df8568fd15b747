"""The auditor draws a sample with his own seed, takes its papers home and lets them verify themselves."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.office import follow, number_in, press, rows_of

pytestmark = pytest.mark.one_database

SEED = "双色球 2020112 期 03 08 19 24 26 32"
SIZE = 5


def test_the_auditor_draws_a_sample(desk, tmp_path):
    page = desk.open("auditor")
    expect(page.get_by_role("heading", name="审计从这里开始")).to_be_visible()
    page.get_by_role("link", name="抽取样本", exact=True).click()

    population = chooses_the_population(page)
    page.get_by_label("随机种子").fill(SEED)
    page.get_by_label("抽取件数").fill(str(SIZE))
    press(page, "抽取")
    expect(page.get_by_text(f"已用种子“{SEED}”抽取 {SIZE} 件")).to_be_visible()
    drawn = [number_in(row.inner_text()) for row in rows_of(page, "核查件列表")]

    assert drawn == draws_it_again(page, population)
    takes_the_papers_and_verifies(page, drawn, tmp_path)
    the_draw_is_in_the_log(page)
    the_same_seed_draws_the_same(desk, drawn)


def chooses_the_population(page: Page) -> int:
    """Mistakes are told and lose nothing; then all cases of the area."""
    page.get_by_label("决定日期起").fill("2020-11-20")
    page.get_by_label("决定日期止").fill("2020-11-01")
    press(page, "筛选")
    expect(page.get_by_text("止日早于起日。")).to_be_visible()
    expect(page.get_by_label("决定日期起")).to_have_value("2020-11-20")
    page.get_by_role("link", name="清除").click()

    population = number_in(page.get_by_text("总体共").inner_text())
    press(page, "抽取")
    expect(page.get_by_text("这个字段是必填项。").first).to_be_visible()
    page.get_by_label("随机种子").fill(SEED)
    page.get_by_label("抽取件数").fill(str(population + 1))
    press(page, "抽取")
    expect(page.get_by_text(f"最多 {population:,} 件。")).to_be_visible()
    expect(page.get_by_label("随机种子")).to_have_value(SEED)
    return population


def draws_it_again(page: Page, population: int) -> list[int]:
    """By hand, from the list of the population: the numbers with the smallest SHA-256 of seed:number."""
    with page.expect_download() as download:
        page.get_by_role("link", name="总体清单 CSV").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    numbers = [int(row[0]) for row in csv.reader(io.StringIO(text)) if row[0].isdigit()]
    assert len(numbers) == population
    return sorted(numbers, key=lambda number: hashlib.sha256(f"{SEED}:{number}".encode()).digest())[:SIZE]


def takes_the_papers_and_verifies(page: Page, drawn: list[int], folder: Path) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="下载样本材料（zip）").click()
    papers = folder / "papers"
    with zipfile.ZipFile(download.value.path()) as packed:
        packed.extractall(papers)
    assert {int(path.name) for path in (papers / "cases").iterdir()} == set(drawn)

    code, said = verified(papers)
    assert (code, "ALL RIGHT / 全部相符" in said) == (0, True), said
    page.context.new_page().goto((papers / "cases" / str(drawn[0]) / "case.html").as_uri())

    case = papers / "cases" / str(drawn[0]) / "case.json"
    case.write_bytes(case.read_bytes().replace(b'"action": "open"', b'"action": "oqen"', 1))
    code, said = verified(papers)
    assert (code, f"cases/{drawn[0]}/case.json" in said) == (1, True), said


def verified(papers: Path) -> tuple[int, str]:
    """The program from the zip, run as the auditor runs it."""
    done = subprocess.run([sys.executable, "verify.py"], cwd=papers, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout


def the_draw_is_in_the_log(page: Page) -> None:
    page.get_by_role("link", name="核验这次抽取").click()
    expect(page.get_by_text("已重新计算：内容与存证条目一致，没有被改动。")).to_be_visible()
    follow(page, "操作记录")
    expect(page.get_by_text("下载审计样本材料（5 件）").first).to_be_visible()


def the_same_seed_draws_the_same(desk, drawn: list[int]) -> None:
    page = desk.open("auditor")
    page.goto("/inspection/draw/")
    page.get_by_label("随机种子").fill(SEED)
    page.get_by_label("抽取件数").fill(str(SIZE))
    press(page, "抽取")
    expect(page.get_by_role("region", name="核查件列表")).to_be_visible()
    assert [number_in(row.inner_text()) for row in rows_of(page, "核查件列表")] == drawn


def test_the_auditor_reads_all_one_person_did(desk):
    county, page = desk.open("county"), desk.open("auditor")
    county.goto("/")
    name = county.get_by_role("heading", level=1).inner_text().split("，")[0]
    page.goto("/")
    page.get_by_role("link", name="查一个人办过什么").click()
    page.get_by_label("姓名或登录名").fill("county")
    press(page, "筛选")
    page.get_by_role("link", name=name).first.click()
    page.get_by_role("link", name="此人办过的全部事项").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}的操作")
    times = page.locator(".w-timeline time").all_inner_texts()
    assert times
    assert times == sorted(times)
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert {row[1] for row in rows[1:-1]} == {name}
    page.get_by_role("link", name="看此人查阅过什么").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}的查阅")
