import io
import struct
import zlib

import pytest
from PIL import Image

from tests.files.pictures import exif_with_place, jpeg, picture
from wanjia.files.errors import TooManyPixels, UnreadablePicture
from wanjia.files.photos import Place, prepare
from wanjia.files.purposes import PhotoLimits

LIMITS = PhotoLimits(edge=1600, bytes=300_000)
PIXELS = 60_000_000


def opened(photo):
    return Image.open(io.BytesIO(photo.jpeg))


def test_a_large_photo_becomes_small():
    photo = prepare(jpeg(4000, 3000, noise=True, quality=95), LIMITS, PIXELS)
    assert len(photo.jpeg) <= 300_000
    assert max(opened(photo).size) <= 1600
    assert opened(photo).size == (photo.width, photo.height)


def test_a_small_photo_is_not_blown_up():
    photo = prepare(jpeg(320, 200), LIMITS, PIXELS)
    assert (photo.width, photo.height) == (320, 200)


def test_nothing_hidden_is_kept_and_the_place_is_handed_over():
    original = jpeg(exif=exif_with_place(), comment=b"HIDDEN-COMMENT")
    assert b"HUAWEI-SECRET-MAKE" in original
    photo = prepare(original + b"<script>HIDDEN-TAIL</script>", LIMITS, PIXELS)
    for secret in (b"HUAWEI", b"HIDDEN", b"Exif", b"GPS", b"script"):
        assert secret not in photo.jpeg
    assert not dict(opened(photo).getexif())
    assert photo.facts.place == Place(pytest.approx(23.93), pytest.approx(108.11))
    assert photo.facts.taken_at.isoformat() == "2020-11-15T10:20:30"


def test_a_photo_taken_upright_stays_upright():
    photo = prepare(jpeg(800, 600, exif=exif_with_place(orientation=6)), LIMITS, PIXELS)
    assert (photo.width, photo.height) == (600, 800)


def test_a_photo_without_hidden_data_says_nothing():
    facts = prepare(jpeg(), LIMITS, PIXELS).facts
    assert (facts.place, facts.taken_at) == (None, None)


@pytest.mark.parametrize(
    ("format_", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("WEBP", "RGBA"), ("JPEG", "CMYK"), ("JPEG", "L")],
)
def test_every_kind_of_picture_becomes_a_plain_jpeg(format_, mode):
    if mode == "I;16":
        out = io.BytesIO()
        Image.new("I;16", (64, 48), 700).save(out, "PNG")
        content = out.getvalue()
    else:
        content = picture(format_, mode=mode)
    image = opened(prepare(content, LIMITS, PIXELS))
    assert (image.format, image.mode) == ("JPEG", "RGB")


def test_what_was_transparent_is_white():
    out = io.BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(prepare(out.getvalue(), LIMITS, PIXELS)).getpixel((8, 8)) == (255, 255, 255)


def bomb(width, height):
    """A PNG of a few hundred bytes that claims to be enormous."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(10_000, 7_000), (20_000, 20_000), (60_000, 60_000)])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(size):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TooManyPixels):
        prepare(bomb(*size), LIMITS, PIXELS)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


@pytest.mark.parametrize("cut", [10, 100, 500, 2000])
@pytest.mark.parametrize("format_", ["PNG", "WEBP", "JPEG"])
def test_a_picture_that_is_cut_off_is_refused(format_, cut):
    content = picture(format_, 640, 480)
    with pytest.raises(UnreadablePicture):
        prepare(content[: min(cut, len(content) // 2)], LIMITS, PIXELS)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow on damaged EXIF
def test_flipped_bytes_never_break_anything_but_the_picture():
    content = jpeg(200, 150, exif=exif_with_place())
    for at in range(2, len(content), 37):
        damaged = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
        try:
            photo = prepare(damaged, LIMITS, PIXELS)
        except (UnreadablePicture, TooManyPixels):
            continue
        assert b"HUAWEI" not in photo.jpeg
