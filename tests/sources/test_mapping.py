"""Files with an unknown header: proposed, said by a person, kept, and used for the next file."""

import json

import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories.accounts import account, client_for
from tests.factories.sources import STRANGE, STRANGE_FIELDS, delivery, department_officer, number, row
from tests.factories.workbooks import book
from wanjia.audit.models import Opening
from wanjia.intake.errors import ColumnTwice, UnknownLayout
from wanjia.jobs.worker import run_pending
from wanjia.reference.services import load_reference
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, services
from wanjia.sources.choices import BatchStatus
from wanjia.sources.errors import MappingIncomplete
from wanjia.sources.models import Batch, ColumnMapping


def strange(rows=None):
    return delivery([row(serial) for serial in range(1, 4)] if rows is None else rows, header=STRANGE)


def proposed(batch):
    return [column["field"] for column in batch.proposal["columns"]]


@pytest.mark.django_db
def test_an_unknown_header_is_proposed_by_names_and_by_what_columns_hold(gongan, put, reference):
    batch = services.receive(viewer=gongan, path=put(strange()))

    assert (batch.status, batch.dataset) == (BatchStatus.MAPPING, "gongan.vehicles")
    fields = dict(zip(STRANGE, proposed(batch), strict=True))
    assert fields["机动车号牌(蓝牌)"] == "plate"
    assert fields["首次登记时间"] == "registered_on"
    assert fields["目前状况"] == "vehicle_status"
    assert fields["车主名字"] == "owner_name"
    assert fields["居民证件号"] == "number"
    assert fields["类别"] == "vehicle_kind"
    kept = json.dumps(batch.proposal, ensure_ascii=False)
    assert number(1) not in kept
    assert "韦英" not in kept


@pytest.mark.django_db
def test_what_was_said_of_a_header_is_kept_and_used_for_the_next_file(gongan, put, reference):
    batch = services.receive(viewer=gongan, path=put(strange()))
    batch = services.map_columns(viewer=gongan, batch_id=batch.pk, columns=STRANGE_FIELDS)
    batch = services.inspect(viewer=gongan, batch_id=batch.pk)

    assert (batch.status, batch.accepted, batch.rejected) == (BatchStatus.PREVIEWED, 3, 0)
    rows = [line for path in queries.typed_paths(batch) for line in pq.read_table(path).to_pylist()]
    assert rows[0]["plate"] == "桂M00001"

    again = services.receive(viewer=gongan, path=put(book([row(7), row(8)], header=STRANGE), name="下月.xlsx"))
    assert (again.status, again.accepted, again.mapping_id) == (BatchStatus.PREVIEWED, 2, batch.mapping_id)

    services.end_mapping(viewer=gongan, mapping_id=batch.mapping_id)
    asked = services.receive(viewer=gongan, path=put(strange([row(9)])))
    assert asked.status == BatchStatus.MAPPING
    said = Opening.objects.visible_to(system_viewer("audit.record")).filter(
        act__in=["sources.map_columns", "sources.end_mapping"]
    )
    assert said.count() == 2


@pytest.mark.django_db
def test_a_countys_own_mapping_serves_its_files_though_nobody_says_the_area(put, reference):
    officer, named = department_officer(area="451228"), {"area": services.AS_NAMED}
    batch = services.receive(viewer=officer, path=put(strange()), **named)
    assert (batch.status, batch.area) == (BatchStatus.MAPPING, "451228")
    services.map_columns(viewer=officer, batch_id=batch.pk, columns=STRANGE_FIELDS)

    again = services.receive(viewer=officer, path=put(strange([row(7), row(8)])), **named)
    assert (again.status, again.area) == (BatchStatus.PREVIEWED, "451228")


@pytest.mark.django_db
def test_a_mapping_may_be_corrected_and_the_file_is_read_anew(gongan, put, reference):
    batch = services.receive(viewer=gongan, path=put(delivery([row(1, 使用性质="小型轿车", 车辆类型="非营运")])))
    fields = [column["field"] for column in batch.preview["columns"]]
    fields[2], fields[3] = fields[3], fields[2]

    batch = services.map_columns(viewer=gongan, batch_id=batch.pk, columns=fields)
    batch = services.inspect(viewer=gongan, batch_id=batch.pk)

    [typed] = pq.read_table(queries.typed_paths(batch)[0]).to_pylist()
    assert (typed["vehicle_kind"], typed["vehicle_use"]) == ("小型轿车", "非营运")
    assert (batch.accepted, batch.warned) == (1, 0)


@pytest.mark.django_db
def test_a_mapping_names_all_that_is_needed_once_and_is_its_departments(gongan, province, put, reference):
    batch = services.receive(viewer=gongan, path=put(strange()))

    with pytest.raises(MappingIncomplete):
        services.map_columns(viewer=gongan, batch_id=batch.pk, columns=["", *STRANGE_FIELDS[2:], ""])
    with pytest.raises(ColumnTwice):
        services.map_columns(viewer=gongan, batch_id=batch.pk, columns=["plate", *STRANGE_FIELDS[1:]])
    with pytest.raises(NotVisible):
        services.map_columns(viewer=department_officer("minzheng"), batch_id=batch.pk, columns=STRANGE_FIELDS)
    assert not ColumnMapping.objects.visible_to(province).exists()


@pytest.mark.django_db
def test_a_table_without_a_header_is_no_proposal(gongan, put, reference):
    for text in ("姓名,电话\r\n韦英,1\r\n", delivery(title=None, header=row(5), footer=False)):
        with pytest.raises(UnknownLayout):
            services.receive(viewer=gongan, path=put(text))
        with pytest.raises(UnknownLayout):
            services.receive(
                viewer=gongan, path=put(delivery(title=None, header=row(5), footer=False)), dataset="gongan.vehicles"
            )


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_the_first_rows_and_takes_the_officers_word(home):
    load_reference()
    officer = client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))
    file = SimpleUploadedFile("车辆.csv", strange().encode("gb18030"))
    answer = officer.post("/sources/upload/", {"file": file, "dataset": "", "area": "45"})
    batch = Batch._base_manager.get()
    assert answer["Location"] == batch.get_absolute_url()
    assert "核对每一列" in officer.get(batch.get_absolute_url()).content.decode()
    address = f"/sources/{batch.pk}/columns/"
    page = officer.get(address).content.decode()
    assert "首次登记时间" in page
    assert "2015-03-07" in page
    assert number(1) not in page
    assert "列名相近" in page

    told = officer.post(address, {f"column-{n}": name for n, name in enumerate(STRANGE_FIELDS[:1])})
    assert (told.status_code, "还没有指明" in told.content.decode()) == (422, True)
    told = officer.post(address, {f"column-{n}": name for n, name in enumerate(STRANGE_FIELDS)})
    assert told.status_code == 302
    run_pending()
    batch.refresh_from_db()
    assert (batch.status, batch.accepted) == (BatchStatus.PREVIEWED, 3)
    listed = officer.get("/sources/mappings/").content.decode()
    assert "首次登记时间 → 初次登记日期" in listed
