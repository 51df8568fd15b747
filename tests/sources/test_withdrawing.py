"""An accepted delivery that turned out wrong counts no longer, and the one before it counts again."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import sources as factory
from tests.factories.accounts import account, client_for
from tests.factories.sources import delivery, row
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.models import Opening
from wanjia.reference.services import load_reference
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, services
from wanjia.sources.choices import BatchStatus
from wanjia.sources.errors import BatchMovedOn, ReasonNeeded
from wanjia.sources.models import Batch

pytestmark = pytest.mark.django_db
WHY = "送错文件：这是上一年度的机动车数据"


@pytest.fixture
def accepted(province, put, reference):
    """A delivery of so many vehicles, accepted."""

    def deliver(cars, **facts):
        path = put(delivery([row(serial) for serial in range(1, cars + 1)]), name="机动车")
        batch = services.receive(viewer=province, path=path, **facts)
        if batch.status == BatchStatus.HELD:
            services.let_go_on(viewer=province, batch_id=batch.pk, reason="已与车管所核实")
        return services.accept(viewer=province, batch_id=batch.pk)

    return deliver


def current(viewer):
    return [batch.pk for batch in queries.current_batches(viewer, ["gongan.vehicles"])]


def test_what_was_replaced_is_current_again_and_nothing_is_removed(accepted, province):
    first, second = accepted(3), accepted(4)
    assert current(province) == [second.pk]
    assert queries.restored_by(province, second) == [first.pk]
    before = {address: lake().read_manifest(address).content for address in lake().list()}

    gone = services.withdraw(viewer=province, batch_id=second.pk, reason=f" {WHY} ")

    assert (gone.status, gone.withdrawn_by, gone.withdrawn_reason) == (BatchStatus.WITHDRAWN, province.user_id, WHY)
    assert (gone.decided_by, gone.accepted) == (province.user_id, 4), "that it was accepted stays on record"
    assert current(province) == [first.pk]
    assert queries.withdrawn(province, [first.pk, second.pk]) == {second.pk}
    assert {address: lake().read_manifest(address).content for address in lake().list()} == before
    said = Opening.objects.visible_to(system_viewer("audit.record")).get(act="sources.withdraw").payload
    assert (said["content"]["reason"], said["content"]["restored"]) == (WHY, str(first.pk))


def test_the_last_of_three_gives_way_to_the_second_and_the_second_alone_changes_nothing(accepted, province):
    first, second, third = accepted(3), accepted(4), accepted(5)
    assert queries.restored_by(province, second) == []
    services.withdraw(viewer=province, batch_id=second.pk, reason=WHY)
    assert current(province) == [third.pk]
    services.withdraw(viewer=province, batch_id=third.pk, reason=WHY)
    assert current(province) == [first.pk]


def test_a_part_gives_the_whole_back_its_place(accepted, province):
    """A county's own delivery replaces nothing of the region's, and a region's all of its counties'."""
    county, region = accepted(3, area="451228"), accepted(4)
    assert current(province) == [region.pk]
    services.withdraw(viewer=province, batch_id=region.pk, reason=WHY)
    assert current(province) == [county.pk]


def test_the_same_file_may_come_again(accepted, province):
    batch = accepted(3)
    services.withdraw(viewer=province, batch_id=batch.pk, reason=WHY)
    again = accepted(3)
    assert (again.pk != batch.pk, again.status) == (True, BatchStatus.ACCEPTED)


def test_withdrawing_asks_for_what_accepting_asked_for(accepted, province, gongan):
    plain = accepted(120)
    held = accepted(60)  # half of it: somebody with the right to let it go on had to say so
    assert held.let_go_at
    with pytest.raises(NotVisible):
        services.withdraw(viewer=gongan, batch_id=held.pk, reason=WHY)
    with pytest.raises(NotVisible):
        services.withdraw(viewer=factory.department_officer("minzheng"), batch_id=plain.pk, reason=WHY)
    services.withdraw(viewer=gongan, batch_id=plain.pk, reason=WHY)
    services.withdraw(viewer=province, batch_id=held.pk, reason=WHY)


def test_only_what_was_accepted_is_withdrawn_once_and_for_a_reason(accepted, province, put):
    batch = accepted(3)
    with pytest.raises(ReasonNeeded):
        services.withdraw(viewer=province, batch_id=batch.pk, reason=" ")
    with pytest.raises(IdentityNumberInPayload):
        services.withdraw(viewer=province, batch_id=batch.pk, reason=f"{factory.number(1)}的车不是他的")
    services.withdraw(viewer=province, batch_id=batch.pk, reason=WHY)
    waiting = services.receive(viewer=province, path=put(delivery([row(9)])))
    for number in (batch.pk, waiting.pk):
        with pytest.raises(BatchMovedOn):
            services.withdraw(viewer=province, batch_id=number, reason=WHY)


@pytest.mark.django_db(transaction=True)
def test_the_page_says_what_will_be_current_and_then_what_happened():
    load_reference()
    officer = client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))
    viewer = system_viewer("cli.intake")
    batches = []
    for cars in (3, 4):
        upload = SimpleUploadedFile("v.csv", delivery([row(n) for n in range(cars)]).encode())
        address = officer.post("/sources/upload/", {"file": upload, "dataset": "", "area": "45"})["Location"]
        batch = Batch.objects.visible_to(viewer).order_by("-pk").first()
        services.inspect(viewer=viewer, batch_id=batch.pk)
        officer.post(f"{address}accept/")
        batches.append(batch)
    page = officer.get(address).content.decode()
    assert f"第 {batches[0].pk} 批重新成为现行" in page
    empty = officer.post(f"{address}withdraw/", {"reason": ""})
    assert (empty.status_code, "<details open>" in empty.content.decode()) == (422, True)
    done = officer.post(f"{address}withdraw/", {"reason": WHY}, follow=True).content.decode()
    assert "已撤回" in done
    assert WHY in done
    assert "撤回这批数据" not in done
    assert "现行，比对使用这批数据" in officer.get(f"/sources/{batches[0].pk}/").content.decode()
