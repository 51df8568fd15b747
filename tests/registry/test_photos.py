"""Photos of a household: who writes it adds and takes away, who reads it looks, and what the camera said is gone."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from tests.factories import registry as factory
from wanjia.audit.access import access_store
from wanjia.audit.models import Opening
from wanjia.files.models import StoredFile
from wanjia.kernel import clock
from wanjia.reference.services import Notice, set_parameter
from wanjia.registry.errors import HouseholdNotLive, ReasonMissing, TooManyPhotos
from wanjia.registry.photos.services import photos_of, remove_photo
from wanjia.registry.rights.queries import held_about
from wanjia.registry.services import remove_household
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer

EYE = factory.BUILDER
HOUSEHOLD = 1
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def county(stands):
    return factory.build()


def _photo_with_place():
    content, picture = BytesIO(), Image.new("RGB", (90, 60), "teal")
    exif = picture.getexif()
    exif[0x0110] = "PHONE-MODEL"
    picture.save(content, "JPEG", exif=exif)
    return content.getvalue()


def _add(county, who="county", household=HOUSEHOLD):
    return factory.photographed(county.household(household), county.viewer(who))


def test_added_on_the_page_it_is_listed_with_day_and_taker_and_nothing_of_the_camera(county, enter):
    client = enter("village")
    upload = SimpleUploadedFile("韦大一家.jpg", _photo_with_place(), "image/jpeg")
    answer = client.post(reverse("registry:add_photo", args=[HOUSEHOLD]), {"photo": upload})

    assert answer.url.endswith("#photos")
    (photo,) = photos_of(county.household(HOUSEHOLD))
    assert "韦" not in photo.name
    address = reverse("registry:photo", args=[HOUSEHOLD, photo.pk])
    page = client.get(reverse("registry:household", args=[HOUSEHOLD])).content.decode()
    assert address in page
    assert county.users["village"].display_name in page
    told = client.get(address)
    content = b"".join(told.streaming_content)
    assert b"PHONE-MODEL" not in content
    assert Image.open(BytesIO(content)).size == (90, 60)
    assert told["Cache-Control"] == "private, no-cache"
    seen = access_store().readings([("", None)], subject_kind="household", subject_id=HOUSEHOLD)
    assert "photo" in {row["fields"] for row in seen}
    assert client.get(address, headers={"If-None-Match": told["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("who", "reads", "adds"),
    [
        ("county", 200, 302), ("village", 200, 302), ("contact", 200, 403), ("township", 200, 403),
        ("next_contact", 404, 403), ("next_village", 404, 404), ("next_county", 404, 404), ("auditor", 200, 403),
    ],
)  # fmt: skip
def test_who_reads_the_household_looks_and_who_writes_it_adds(county, enter, who, reads, adds):
    photo, client = _add(county), enter(who)

    assert client.get(reverse("registry:photo", args=[HOUSEHOLD, photo.pk])).status_code == reads
    upload = SimpleUploadedFile("a.jpg", factory.picture(9), "image/jpeg")
    assert client.post(reverse("registry:add_photo", args=[HOUSEHOLD]), {"photo": upload}).status_code == adds
    remove = reverse("registry:remove_photo", args=[HOUSEHOLD, photo.pk])
    assert client.post(remove, {"reason": "照片拍错了户"}).status_code == adds
    assert StoredFile.objects.visible_to(EYE).filter(pk=photo.pk).exists() is (adds != 302)


def test_a_photo_is_of_one_household_only(county, enter):
    photo = _add(county)

    assert enter("county").get(reverse("registry:photo", args=[2, photo.pk])).status_code == 404
    with pytest.raises(NotVisible):
        remove_photo(viewer=county.viewer("county"), household_no=2, file_id=photo.pk, reason="照片拍错了户")


def test_it_is_taken_away_for_a_reason_that_the_log_keeps(county, enter):
    photo = _add(county)
    with pytest.raises(ReasonMissing):
        remove_photo(viewer=county.viewer("county"), household_no=HOUSEHOLD, file_id=photo.pk, reason="错")
    enter("county").post(reverse("registry:remove_photo", args=[HOUSEHOLD, photo.pk]), {"reason": ""})
    assert StoredFile.objects.visible_to(EYE).filter(pk=photo.pk).exists()

    remove_photo(viewer=county.viewer("county"), household_no=HOUSEHOLD, file_id=photo.pk, reason="照片拍错了户")

    act = Opening.objects.visible_to(EYE).filter(act="files.remove").last()
    assert (act.subject_kind, act.subject_id, act.content["reason"]) == ("household", HOUSEHOLD, "照片拍错了户")
    assert not photos_of(county.household(HOUSEHOLD)).exists()


def test_no_more_than_the_policy_says_and_none_of_a_household_that_left(county):
    notice = Notice("tests", clock.today())
    set_parameter(system_viewer("reference.load"), name="registry.household_photos_most", value="2", notice=notice)
    _add(county)
    _add(county)
    with pytest.raises(TooManyPhotos) as refused:
        _add(county)
    assert refused.value.values["most"] == 2
    remove_household(viewer=county.viewer("county"), household_no=2, reason="错评清退处理")
    with pytest.raises(HouseholdNotLive):
        _add(county, household=2)


def test_what_is_no_picture_is_refused_and_the_page_says_so(county, enter):
    client = enter("county")
    upload = SimpleUploadedFile("a.jpg", b"no picture at all", "image/jpeg")

    page = client.post(reverse("registry:add_photo", args=[HOUSEHOLD]), {"photo": upload}, follow=True)

    assert "w-message-error" in page.content.decode()
    assert not photos_of(county.household(HOUSEHOLD)).exists()


def test_the_document_of_a_person_counts_them_and_shows_none(county, enter):
    _add(county)
    person = county.household(HOUSEHOLD).head_person_no

    assert held_about(county.viewer("county"), person, "zh").photos == 1
    page = enter("county").get(reverse("registry:person", args=[person])).content.decode()
    assert "/photos/" not in page
