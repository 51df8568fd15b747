"""A department's file from the door to acceptance."""

import csv
import io
import json
import re

import pyarrow.parquet as pq
import pytest

from tests.factories import sources as factory
from tests.factories.sources import HEADER, delivery, number, row
from wanjia.audit.models import Opening
from wanjia.engine.errors import WorkbookOldFormat
from wanjia.intake.errors import BinaryFile, ColumnTwice, EmptyFile, Undecodable, UnknownLayout, UnsupportedFormat
from wanjia.kernel import identity
from wanjia.scope.errors import NotAllowed, NotVisible
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, services
from wanjia.sources.choices import BatchStatus
from wanjia.sources.contracts import contract_for
from wanjia.sources.errors import (
    AlreadyDelivered,
    BatchMovedOn,
    FileUnreadable,
    NothingToAccept,
    OutsideCoverage,
    UnknownDataset,
)
from wanjia.sources.models import Batch

pytestmark = pytest.mark.django_db


def rows_of(batch):
    return [line for path in queries.typed_paths(batch) for line in pq.read_table(path).to_pylist()]


def sheet_of(viewer, batch):
    content = b"".join(services.reject_sheet(viewer=viewer, batch_id=batch.pk))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def problems(batch):
    return {(each["field"], each["problem"]): each["count"] for each in batch.preview["problems"]}


# -- a good file --------------------------------------------------------------------------------


def test_a_delivery_is_read_and_waits_for_a_decision(province, put, reference):
    batch = services.receive(viewer=province, path=put())

    assert batch.status == BatchStatus.PREVIEWED
    assert (batch.dataset, batch.department, batch.area) == ("gongan.vehicles", "gongan", "45")
    assert (batch.lines, batch.accepted, batch.warned, batch.rejected, batch.non_data) == (7, 3, 0, 0, 4)
    assert batch.as_of.isoformat() == "2020-09-30"
    assert batch.preview["encoding"] == "GB18030"
    assert queries.current_batch(province, "gongan.vehicles") is None  # not before somebody accepts it


def test_typed_rows_carry_the_key_and_what_linkage_needs_and_no_number(province, put, reference):
    batch = services.receive(viewer=province, path=put(delivery([row(1, 所有人="韋 英(户主)")])))

    [typed] = rows_of(batch)
    sound = number(1)
    assert typed == {
        "source_row": 3,
        "plate": "桂M00001",
        "vehicle_kind": "小型轿车",
        "vehicle_use": "非营运",
        "model": "五菱宏光LZW6441",
        "registered_on": typed["registered_on"],
        "vehicle_status": "正常",
        "owner_name": "韋 英(户主)",
        "name_match": "韦英",
        "person_key": keyring().person_key(sound),
        "id_valid": True,
        "issuing_county": "456228",
        "birth_date": typed["birth_date"],
        "sex": identity.judge(sound, typed["registered_on"]).sex,
    }
    assert typed["registered_on"].isoformat() == "2015-03-07"
    assert typed["birth_date"].isoformat() == "1976-02-29"


@pytest.mark.parametrize(
    "written",
    [
        lambda n: f'="{n}"',
        lambda n: f"'{n}",
        lambda n: f" {n}\t",
        lambda n: n.lower(),
        lambda n: n.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")),
        lambda n: f"\u3000{n}",
    ],
)
def test_a_right_number_has_one_key_however_it_is_written(province, put, reference, written):
    sound = next(n for n in map(number, range(999)) if n.endswith("X"))
    batch = services.receive(viewer=province, path=put(delivery([row(1, 身份证明号码=written(sound))])))

    [typed] = rows_of(batch)
    assert (typed["person_key"], typed["id_valid"], batch.warned) == (keyring().person_key(sound), True, 0)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("gb18030", "GB18030"), ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8 (BOM)"), ("utf-16", "UTF-16-LE (BOM)")],
)
def test_the_encoding_is_told_by_the_content(province, put, reference, encoding, shown):
    batch = services.receive(viewer=province, path=put(delivery([row(1, 所有人="韦𬭎")]), encoding=encoding))

    assert batch.preview["encoding"] == shown
    assert rows_of(batch)[0]["owner_name"] == "韦𬭎"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(province, put, reference, end):
    batch = services.receive(viewer=province, path=put(delivery(end=end)))

    assert (batch.lines, batch.accepted, batch.non_data) == (7, 3, 4)


def test_columns_may_come_in_another_order_under_other_names_and_with_company(province, put, reference):
    header = ["身份证号\n码", "车主姓名", "号 牌 号 码(必填)", "发动机号", "机动车状态", "登记日期"]
    text = delivery([[number(5), "韦英", "桂m 00005", "E9", "正常", "2015年3月7日"]], header=header, title=None)
    batch = services.receive(viewer=province, path=put(text))

    [typed] = rows_of(batch)
    assert (typed["plate"], typed["registered_on"].isoformat()) == ("桂M00005", "2015-03-07")
    assert typed["vehicle_kind"] is None
    assert batch.preview["missing"] == ["vehicle_kind", "vehicle_use", "model"]
    assert [column["field"] for column in batch.preview["columns"]] == [
        "number", "owner_name", "plate", "", "vehicle_status", "registered_on",
    ]  # fmt: skip
    # the header takes two lines, the second the continuation of a cell
    assert batch.lines == batch.accepted + batch.non_data == 5


def test_records_above_the_header_are_records(province, put, reference):
    lines = delivery([row(3)]).splitlines(keepends=True)
    moved = [
        lines[0],
        *delivery([row(1), row(2)], title=None, header=["x"] * len(HEADER)).splitlines(keepends=True)[1:3],
    ]
    batch = services.receive(viewer=province, path=put("".join([*moved, *lines[1:]]).encode("gb18030")))
    assert (batch.lines, batch.accepted, batch.rejected) == (len(moved) + len(lines) - 1, 3, 0)
    assert [line["source_row"] for line in rows_of(batch)] == [2, 3, 5]


def test_labels_are_written_as_the_code_list_writes_them(province, put, reference):
    batch = services.receive(
        viewer=province, path=put(delivery([row(1, 车辆类型="两轮普通摩托车"), row(2, 车辆类型="飞行汽车")]))
    )

    assert [typed["vehicle_kind"] for typed in rows_of(batch)] == ["普通二轮摩托车", "飞行汽车"]
    assert problems(batch) == {("vehicle_kind", "label_unknown"): 1}
    assert (batch.accepted, batch.warned) == (2, 1)


# -- every line of the file ---------------------------------------------------------------------


def test_every_line_is_accepted_rejected_or_listed_as_no_record(province, put, reference):
    blank = [""] * len(HEADER)
    note = ["填表人:覃某", *blank[1:]]
    rows = [
        row(1),
        list(HEADER),
        row(2),
        blank,
        ["", "   "],
        row(3, 号牌号码=""),
        row(4, 品牌型号="两行\n型号"),
        ["断"],
        note,
    ]
    batch = services.receive(viewer=province, path=put(delivery(rows)))

    assert batch.preview["non_data"] == {
        "title": 1, "header": 1, "repeated_header": 1, "blank": 2, "continuation": 1, "note": 2, "total": 1,
    }  # fmt: skip
    assert (batch.accepted, batch.rejected) == (3, 2)
    assert batch.lines == batch.accepted + batch.rejected + batch.non_data
    listed = pq.read_table(lake().path(batch.typed, "non-data.parquet")).to_pylist()
    rejected = pq.read_table(lake().path(batch.typed, "rejects.parquet")).column("line").to_pylist()
    accepted = [typed["source_row"] for typed in rows_of(batch)]
    assert sorted([*accepted, *rejected, *(line["line"] for line in listed)]) == list(range(1, batch.lines + 1))


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"号牌号码": " "}, "plate", "missing"),
        ({"号牌号码": "桂" * 16}, "plate", "too_long"),
        ({"所有人": ""}, "owner_name", "missing"),
        ({"初次登记日期": "2013-02-30"}, "registered_on", "date_impossible"),
        ({"初次登记日期": "不详"}, "registered_on", "date_unreadable"),
        ({"初次登记日期": "3/5/2018"}, "registered_on", "date_ambiguous"),
        ({"初次登记日期": "2018年3月"}, "registered_on", "date_too_coarse"),
        ({"初次登记日期": "2021-01-01"}, "registered_on", "date_future"),
        ({"初次登记日期": "-"}, "registered_on", "missing"),
        ({"身份证明号码": "4.56E+17"}, "number", "id_ruined"),
        ({"身份证明号码": "456228197602290000"}, "number", "id_ruined"),
    ],
)
def test_a_row_that_cannot_be_used_goes_back_with_its_reason(province, put, reference, changes, field, problem):
    batch = services.receive(viewer=province, path=put(delivery([row(1), row(2, **changes)])))

    assert (batch.accepted, batch.rejected) == (1, 1)
    assert problems(batch) == {(field, problem): 1}


@pytest.mark.parametrize(
    ("written", "problem", "has_key"),
    [
        ("", "id_empty", False),
        ("无", "id_placeholder", False),
        ("456228760229001", "id_old_form", True),
        (number(1)[:-1] + ("1" if number(1)[-1] != "1" else "2"), "id_check", True),
        ("4562281976", "id_length", True),
    ],
)
def test_a_number_that_identifies_nobody_keeps_its_row_with_a_warning(
    province, put, reference, written, problem, has_key
):
    batch = services.receive(viewer=province, path=put(delivery([row(1, 身份证明号码=written)])))

    assert (batch.accepted, batch.warned, batch.rejected) == (1, 1, 0)
    assert problems(batch) == {("number", problem): 1}
    assert (rows_of(batch)[0]["person_key"] is not None, rows_of(batch)[0]["id_valid"]) == (has_key, False)


def test_a_damaged_character_sends_its_row_back(province, put, reference):
    rows = [row(1), row(2, 所有人="韦英"), *(row(serial) for serial in range(3, 60))]
    content = (
        delivery(rows).encode("gb18030").replace("桂M00002,小型轿车".encode("gb18030"), b"\xb9\xf0M00002,\xff\xff", 1)
    )
    batch = services.receive(viewer=province, path=put(content))

    assert batch.rejected == 1
    assert ("vehicle_kind", "undecodable") in problems(batch)


# -- files that are refused ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", EmptyFile),
        (b"\r\n , ,\r\n", EmptyFile),
        (b"PK\x03\x04rest", UnsupportedFormat),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", WorkbookOldFormat),
        (b"  <html><table><tr><td>x", UnsupportedFormat),
        (b"\x00\x01\x02binary", BinaryFile),
        (b"\xff\xfd\xff\x80" * 100, Undecodable),
        ("姓名,电话\r\n韦英,1\r\n".encode(), UnknownLayout),
        (delivery(header=(*HEADER[:-1], "车主")), ColumnTwice),
    ],
)
def test_a_file_that_is_no_delivery_is_refused_and_nothing_is_kept(province, put, reference, content, refusal):
    with pytest.raises(refusal) as refused:
        services.receive(viewer=province, path=put(content))

    assert all(refused.value.sentences("zh"))
    assert not queries.batches(province).exists()
    assert lake().list() == []


def test_a_wrong_layout_is_told_by_what_it_lacks(province, put, reference):
    with pytest.raises(UnknownLayout) as refused:
        services.receive(viewer=province, path=put("姓名,电话\r\n韦英,1\r\n"))
    assert refused.value.values["missing"]


def test_a_header_that_lacks_one_column_waits_to_be_looked_over(province, put, reference):
    header = [name.replace("号牌号码", "底盘号") for name in HEADER]
    batch = services.receive(viewer=province, path=put(delivery(header=header)))
    assert (batch.status, batch.dataset) == (BatchStatus.MAPPING, "gongan.vehicles")
    assert batch.accepted == 0


def test_a_dataset_without_a_contract_is_refused(province, put, reference):
    with pytest.raises(UnknownDataset):
        services.receive(viewer=province, path=put(), dataset="gongan.boats")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (delivery(footer=False)[:-40], "intake.truncated_file"),
        (delivery(footer=False) + '4,桂M4,"小型', "intake.unbalanced_quote"),
        (delivery([]), "intake.empty_file"),
        (delivery([["1", "桂M1"]] * 30 + [row(1)] * 3), "intake.mostly_broken"),
    ],
)
def test_a_file_found_broken_further_down_stays_on_record_as_unreadable(province, put, reference, text, reason):
    with pytest.raises(FileUnreadable) as refused:
        services.receive(viewer=province, path=put(text))

    batch = queries.batch_for(province, refused.value.values["batch"])
    assert (batch.status, batch.refusal["code"], batch.accepted) == (BatchStatus.UNREADABLE, reason, 0)
    assert not lake().exists(batch.typed)
    assert batch.refusal_sentences("en")[1] == refused.value.sentences("en")[1]
    with pytest.raises(BatchMovedOn):
        services.accept(viewer=province, batch_id=batch.pk)


def test_the_same_file_again_is_refused_with_the_earlier_batch(province, put, reference):
    first = services.receive(viewer=province, path=put())
    before = lake().list()

    with pytest.raises(AlreadyDelivered) as refused:
        services.receive(viewer=province, path=put(name="another name.csv"))

    assert refused.value.values["batch"] == first.pk
    assert lake().list() == before


def test_a_file_sent_back_may_be_delivered_again(province, put, reference):
    first = services.receive(viewer=province, path=put())
    services.reject_batch(viewer=province, batch_id=first.pk, reason="部门要求重报")

    assert services.receive(viewer=province, path=put()).pk != first.pk


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("车辆20200930.CSV", "车辆20200930.csv"),
        ("459999197602290012.csv", "459999________0012.csv"),
        ("覃某４５９９９９１９７６０２２９００１２.csv", "覃某459999________0012.csv"),
        ("韦支书13800138000.csv", "韦支书138____8000.csv"),
        ("register", "register"),
    ],
)
def test_the_name_of_a_file_is_kept_without_the_number_in_it(province, put, reference, name, kept):
    assert services.receive(viewer=province, path=put(name=name)).file_name == kept


def test_what_a_delivery_covers_is_never_more_than_its_contract(province, put, reference):
    with pytest.raises(OutsideCoverage):
        services.receive(viewer=province, path=put(), area="44")
    assert services.receive(viewer=province, path=put(), area="451228").area == "451228"


# -- decisions ----------------------------------------------------------------------------------


def test_an_accepted_delivery_is_the_one_in_force(province, put, reference):
    batch = services.receive(viewer=province, path=put())
    accepted = services.accept(viewer=province, batch_id=batch.pk)

    assert accepted.status == BatchStatus.ACCEPTED
    assert accepted.decided_by == province.user_id
    assert queries.current_batch(province, "gongan.vehicles") == batch


def test_of_two_who_decide_at_once_the_second_is_told(province, put, reference):
    batch = services.receive(viewer=province, path=put())
    services.accept(viewer=province, batch_id=batch.pk)

    for decide in (services.accept, lambda **asked: services.reject_batch(reason="x", **asked)):
        with pytest.raises(BatchMovedOn) as refused:
            decide(viewer=province, batch_id=batch.pk)
        assert refused.value.values["status"] == "已采纳"


def test_a_delivery_without_a_usable_row_cannot_be_accepted(province, put, reference):
    batch = services.receive(viewer=province, path=put(delivery([row(1, 所有人="")])))
    with pytest.raises(NothingToAccept):
        services.accept(viewer=province, batch_id=batch.pk)


def test_each_act_is_recorded_and_no_record_names_a_person(province, put, reference):
    batch = services.receive(viewer=province, path=put())
    services.accept(viewer=province, batch_id=batch.pk)
    list(services.reject_sheet(viewer=province, batch_id=batch.pk))

    said = Opening.objects.visible_to(system_viewer("audit.record")).filter(subject_kind="batch", subject_id=batch.pk)
    assert [opening.act for opening in said.order_by("id")] == [
        "sources.receive", "sources.inspect", "sources.accept", "sources.reject_sheet",
    ]  # fmt: skip
    assert "韦英" not in json.dumps([opening.payload for opening in said], ensure_ascii=False)


# -- the reject sheet ---------------------------------------------------------------------------


def test_the_reject_sheet_has_the_senders_columns_and_one_more(province, put, reference):
    wrong = row(2, 初次登记日期="不详", 身份证明号码="4.56E+17")
    batch = services.receive(viewer=province, path=put(delivery([row(1), wrong, ["9", "缺列"], row(3, 所有人="")])))

    header, first, short, last = sheet_of(province, batch)
    assert header == [*HEADER, "问题"]
    assert first[:10] == wrong
    assert "初次登记日期不是日期" in first[10]
    assert "身份证明号码已被表格软件转成数字" in first[10]
    assert short == ["9", "缺列", *[""] * 8, "列数与表头不符"]
    assert last[10] == "所有人必填项为空"


def test_the_sheet_holds_no_formula_and_no_number_a_spreadsheet_would_round(province, put, reference):
    rows = [row(1, 所有人="", 住所地址='=HYPERLINK("http://x")', 品牌型号="@SUM(A1)"), row(2, 初次登记日期="-1+1")]
    batch = services.receive(viewer=province, path=put(delivery(rows)))

    cells = [cell for line in sheet_of(province, batch)[1:] for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert f"'{number(1)}" in cells


def test_a_corrected_sheet_can_be_delivered_as_it_is(province, put, reference):
    batch = services.receive(viewer=province, path=put(delivery([row(1), row(2, 初次登记日期="不详")])))
    corrected = [[*line[:5], "2015-03-07", *line[6:]] for line in sheet_of(province, batch)[1:]]

    again = services.receive(
        viewer=province, path=put(delivery(corrected, header=[*HEADER, "问题"]), encoding="utf-8-sig")
    )

    assert (again.accepted, again.warned, again.rejected) == (1, 0, 0)
    assert rows_of(again)[0]["person_key"] == keyring().person_key(number(2))


# -- whose deliveries ---------------------------------------------------------------------------


def test_an_officer_reaches_his_own_departments_deliveries_only(province, gongan, put, reference):
    batch = services.receive(viewer=gongan, path=put())
    other = factory.department_officer("minzheng")

    assert list(queries.batches(gongan)) == list(queries.batches(province)) == [batch]
    assert not queries.batches(other).exists()
    for reach in (services.accept, services.inspect, services.reject_sheet):
        with pytest.raises(NotVisible):
            reach(viewer=other, batch_id=batch.pk)
    with pytest.raises(NotAllowed):
        services.receive(viewer=other, path=put(delivery([row(9)])))


def test_an_officer_of_one_county_cannot_deliver_for_the_province(put, reference):
    county = factory.department_officer(area="451228")

    with pytest.raises(NotAllowed):
        services.receive(viewer=county, path=put())
    assert services.receive(viewer=county, path=put(), area="451228").area == "451228"


# -- personal data ------------------------------------------------------------------------------

_NUMBER = re.compile(rb"456228[0-9]{11}[0-9X]")


def test_no_number_stands_in_the_lake_or_the_database(province, put, reference):
    ruined = row(3, 身份证明号码=f"{number(3)}.0", 所有人="")
    batch = services.receive(
        viewer=province, path=put(delivery([row(1), row(2, 身份证明号码=number(2)[:-1] + "Z"), ruined]))
    )

    for path in lake().root.rglob("*"):
        if path.is_file():
            assert not _NUMBER.search(path.read_bytes()), path
        if path.suffix == ".parquet":
            assert not _NUMBER.search(str(pq.read_table(path).to_pylist()).encode()), path
    kept = Batch._base_manager.filter(pk=batch.pk).values().get()
    assert not _NUMBER.search(json.dumps(kept, default=str).encode())
    assert "韦英" not in json.dumps(kept, default=str, ensure_ascii=False)


@pytest.mark.parametrize(
    ("header", "unit", "said"),
    [("认缴出资额", "元", False), ("认缴出资额（元）", "元", True), ("认缴出资额（万元）", "万元", True)],
)
def test_the_preview_says_in_which_unit_amounts_were_read_and_who_said_so(province, put, reference, header, unit, said):
    columns = [
        header if field.name == "capital" else field.title.zh for field in contract_for("shichang.enterprises").fields
    ]
    filled = ["1" if field.name == "capital" else "" for field in contract_for("shichang.enterprises").fields]
    text = delivery([filled], header=columns, title=None, footer=False)
    batch = services.receive(viewer=province, path=put(text, name="enterprises.csv"), dataset="shichang.enterprises")

    understood = {column.title: (column.unit, column.unit_said) for column in queries.preview_of(batch, "zh").columns}
    assert understood["认缴出资额"] == (unit, said)
    assert understood["登记状态"] == ("", True)
