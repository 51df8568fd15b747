"""An identity number in a column of texts: kept comparable, nowhere in clear."""

import csv
import io
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.factories.sources import number
from wanjia.intake.veil import veiled
from wanjia.kernel.identity import check_character
from wanjia.protection import masking
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.sources import queries, services

TODAY = date(2020, 11, 16)
HEADER = ("低保证号", "姓名", "公民身份号码", "与申请人关系", "救助类别", "保障人数", "月保障金额", "享受起始日期", "停发日期", "享受状态")  # fmt: skip
HEAD, OTHER = number(1), number(2)
OLD = HEAD[:6] + HEAD[8:17]


def keyed(text):
    return masking.keyed(text, keyring().person_key(text))


@pytest.fixture
def relief(province, put, reference):
    """The batch of a list of support with these certificates."""

    def received(*certificates, **changes):
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(HEADER)
        for serial, certificate in enumerate(certificates, 10):
            row = (certificate, "韦英", number(serial), "本人或户主", "城市低保", "3", "420", "2018-03-05", "", "在保")
            writer.writerow((dict(zip(HEADER, row, strict=True)) | changes).values())
        return services.receive(viewer=province, path=put(buffer.getvalue(), name="低保.csv"))

    return received


def rows_of(batch):
    return [line for path in queries.typed_paths(batch) for line in pq.read_table(path).to_pylist()]


@pytest.mark.django_db
def test_the_heads_number_as_a_certificates_number_is_kept_as_a_code(relief):
    batch = relief(HEAD, HEAD, HEAD.lower(), f"证{HEAD}（副）", f"{HEAD}42", OLD, "451228000000017", "45122800012")

    kept = [row["relief_no"] for row in rows_of(batch)]
    assert kept == [
        keyed(HEAD), keyed(HEAD), keyed(HEAD), f"证{keyed(HEAD)}(副)", f"{keyed(HEAD)}42", keyed(OLD),
        "451228000000017", "45122800012",
    ]  # fmt: skip
    key = keyring().person_key(HEAD)
    assert kept[0].endswith(f"#{key & (2**64 - 1):016x}"), "whoever has the person's key can join"
    assert masking.without_key(kept[3]) == f"证{masking.mask_id(HEAD)}(副)"
    (told,) = [each for each in batch.preview["problems"] if each["problem"] == "number_inside"]
    assert (told["field"], told["count"], batch.warned, batch.accepted) == ("relief_no", 6, 6, 8)


@pytest.mark.django_db
def test_no_number_lies_in_clear_outside_the_raw_zone_or_in_what_pages_show(relief, province):
    wide = HEAD.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    batch = relief(
        HEAD, wide, OLD, f"{HEAD[:6]} {HEAD[6:14]} {HEAD[14:]}",
        姓名=f"韦英{OTHER}", 与申请人关系=f"户主{OTHER}", 停发日期=OTHER, 享受状态=f"在保 {OTHER}",
    )  # fmt: skip
    assert batch.rejected == 4, "a number is no day"
    again = relief(HEAD, wide, OLD, f"{HEAD[:6]} {HEAD[6:14]} {HEAD[14:]}", 姓名=f"韦英{OTHER}", 享受状态=OTHER)
    assert again.accepted == 4
    row = rows_of(again)[1]
    assert (row["relief_no"], row["relief_status"]) == (keyed(HEAD), keyed(OTHER))
    assert keyed(OTHER) in row["person_name"]

    for each in (batch, again):
        shown = json.dumps([each.preview, each.proposal, each.refusal], ensure_ascii=False)
        tables = [pq.read_table(path).to_pylist() for path in sorted(lake().root.rglob("*.parquet"))]
        manifests = [path.read_text() for path in sorted(lake().root.rglob("*.json"))]
        for where in (shown, str(tables), *manifests):
            assert not any(
                needle in where for needle in (HEAD, HEAD[:17], wide, OTHER, OLD, f"{HEAD[:6]} {HEAD[6:14]}")
            )
    assert HEAD in b"".join(services.reject_sheet(viewer=province, batch_id=batch.pk)).decode("utf-8-sig")


def test_what_is_no_number_stays_as_it_is(keys):
    texts = [
        "91450100MA5K12345X", "914501007451234567", HEAD[:17] + ("1" if HEAD[17] != "1" else "2"), "桂(2019)都安县不动产权第0012345号",
        "13800138000 13900139000", "6217001234567890123", "456228761329001", "", None, "2018-03-05 2019-03-05 2020-03-05",
    ]  # fmt: skip
    values, at = veiled(pa.array(texts, pa.string()), TODAY, keys)
    assert (values.to_pylist(), list(at)) == (texts, [])


def test_whole_columns_and_single_texts_are_veiled_alike(keys):
    random = np.random.default_rng(4)
    texts = []
    for serial in range(3_000):
        first17 = f"4562281976{random.integers(1, 14):02d}{random.integers(1, 32):02d}{serial % 1000:03d}"
        sound = first17 + check_character(first17)
        texts.append(sound if serial % 3 else random.choice([f"{sound} ", f"a{sound}", sound[:17] + "0", sound[:15]]))
    values, at = veiled(pa.array(texts), TODAY, keys)
    singly = [veiled(pa.array([f"x{text}"]), TODAY, keys) for text in texts]  # never alone: always the slow way
    assert values.to_pylist() == [each.to_pylist()[0].removeprefix("x") for each, _ in singly]
    assert list(at) == [n for n, (_, found) in enumerate(singly) if len(found)]
    assert len(at) > 1_500


@pytest.fixture
def keys(home):
    return keyring()
