"""An accepted batch against a snapshot, through lake and database, and its panel on the batch page."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.factories.accounts import account, client_for
from tests.factories.sources import delivery, number, province_officer, row
from wanjia.kernel import names
from wanjia.lake import Type
from wanjia.lake.parquet import write
from wanjia.reference.services import load_reference
from wanjia.registry.services.snapshot import PERSONS, address_of
from wanjia.resolution.errors import BatchNotAccepted, SnapshotMissing
from wanjia.resolution.services import resolve_batch
from wanjia.scope.errors import NotVisible
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.scope.viewer import Viewer
from wanjia.sources import services as sources

pytestmark = pytest.mark.django_db
SNAPSHOT = "20201116-01"


@pytest.fixture
def province():
    load_reference()
    return province_officer()


@pytest.fixture
def snapshot(db):
    """韦英 (person 1) and 蓝山 (person 2) are registered, with numbers 1 and 2."""
    people = [(1, "韦英", number(1)), (2, "蓝山", number(2))]
    values = {
        "person_no": [no for no, _, _ in people],
        "name": [name for _, name, _ in people],
        "name_match": [names.match_form(name) for _, name, _ in people],
        "person_key": [keyring().person_key(text) for _, _, text in people],
        "in_household": [True] * len(people),
    }
    table = pa.table({name: pa.array(values.get(name, [None] * 2), kind.arrow) for name, kind in PERSONS.items()})
    with lake().publishing(address_of(SNAPSHOT)) as staging:
        write(staging.path("persons.parquet"), table, PERSONS)
    return SNAPSHOT


@pytest.fixture
def batch(province, tmp_path):
    """Vehicles of 韦英, of somebody under 蓝山's number, and of a stranger."""
    rows = [row(1, 身份证明号码=f"'{number(1)}"), row(2, 所有人="陆大海"), row(3)]
    path = tmp_path / "vehicles.csv"
    path.write_bytes(delivery(rows).encode("gb18030"))
    return sources.receive(viewer=province, path=path)


def test_only_what_somebody_accepted_is_resolved(province, batch, snapshot):
    with pytest.raises(BatchNotAccepted):
        resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id=snapshot)


def test_records_find_their_people_and_the_others_are_kept(province, batch, snapshot):
    sources.accept(viewer=province, batch_id=batch.pk)
    made = resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id=snapshot)

    assert (made.matched, made.unmatched, made.name_differs, made.ambiguous) == (2, 1, 1, 0)
    found = pq.read_table(lake().path(made.address, "matched.parquet"))
    assert found.select(["person_no", "plate", "name_agrees"]).to_pylist() == [
        {"person_no": 1, "plate": "桂M00001", "name_agrees": True},
        {"person_no": 2, "plate": "桂M00002", "name_agrees": False},
    ]
    assert found.schema.field("registered_on").type == Type.DATE.arrow
    [stranger] = pq.read_table(lake().path(made.address, "unmatched.parquet")).to_pylist()
    assert stranger["person_key"] == keyring().person_key(number(3))


def test_asked_again_it_is_the_same_resolution(province, batch, snapshot):
    sources.accept(viewer=province, batch_id=batch.pk)
    first = resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id=snapshot)

    assert resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id=snapshot) == first


def test_without_its_snapshot_or_its_batch_nothing_is_resolved(province, batch, snapshot):
    sources.accept(viewer=province, batch_id=batch.pk)

    with pytest.raises(SnapshotMissing):
        resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id="20201116-99")
    with pytest.raises(NotVisible):
        resolve_batch(viewer=Viewer(9, "stranger"), batch_id=batch.pk, snapshot_id=snapshot)


def test_the_batch_page_tells_whose_records_they_are(province, batch, snapshot):
    client = client_for(account("data", "province_data_officer", "45"))
    assert "属于登记人口" not in client.get(batch.get_absolute_url()).content.decode()

    sources.accept(viewer=province, batch_id=batch.pk)
    resolve_batch(viewer=province, batch_id=batch.pk, snapshot_id=snapshot)

    page = client.get(batch.get_absolute_url()).content.decode()
    assert "不属于登记人口" in page
    assert snapshot in page
