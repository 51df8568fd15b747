"""Making a phone's photo fit to keep: upright, without its hidden data, small.

The stored picture is drawn anew from the pixels, so nothing of the original file survives: no
position, no camera, no thumbnail of an uncropped original, nothing appended behind the picture.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from datetime import datetime

from PIL import ExifTags, Image, ImageOps

from wanjia.files.errors import TooManyPixels, UnreadablePicture
from wanjia.files.purposes import PhotoLimits

FORMATS = ("JPEG", "PNG", "WEBP")
QUALITIES = (85, 78, 70, 60, 50)
SMALLEST_EDGE = 480
WHOLE_SHARE = 4  # of the pixels allowed, where all of them must be in memory at once

# What Pillow's readers raise on damaged files, as its own fuzzers list them, and what reading EXIF raises.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the phone says a photo was taken, in degrees (WGS 84)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What the hidden data of a photo said, for a caller who asks; stored nowhere by us."""

    place: Place | None
    taken_at: datetime | None  # the camera's own clock, without a zone


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture ready to be kept."""

    jpeg: bytes
    width: int
    height: int
    facts: PhotoFacts


def prepare(content: bytes, limits: PhotoLimits, max_pixels: int) -> Photo:
    """The picture as we keep it. Raises TooManyPixels before decoding, UnreadablePicture."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            limit = max_pixels if _is_scalable(image) else max_pixels // WHOLE_SHARE
            if width * height > limit:
                raise TooManyPixels(width=width, height=height, limit=limit)
            facts = _facts(image)
            # JPEG decodes at a half, quarter or eighth at once: less memory, less time
            image.draft("RGB", (limits.edge, limits.edge))
            upright = _flattened(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Pillow's own limit, above which it will not even tell the size
        raise TooManyPixels(width="?", height="?", limit=max_pixels) from None
    except _DAMAGE as damage:
        raise UnreadablePicture from damage
    upright.info = {}  # Pillow writes comments and the like back from here
    upright.thumbnail((limits.edge, limits.edge), Image.Resampling.LANCZOS)
    jpeg, drawn = _small_enough(upright, limits.bytes)
    return Photo(jpeg, drawn.width, drawn.height, facts)


def _is_scalable(image: Image.Image) -> bool:
    """Whether the picture need never be whole in memory: a plain JPEG decodes at an eighth of its size."""
    return image.format == "JPEG" and not image.info.get("progressive")


def _flattened(image: Image.Image) -> Image.Image:
    """The picture in RGB; what was transparent is white, as on the screen it was made on."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", rgba.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _small_enough(image: Image.Image, limit: int) -> tuple[bytes, Image.Image]:
    """JPEG of at most `limit` bytes: first coarser, then smaller; the last try is taken as it is."""
    while True:
        for quality in QUALITIES:
            out = io.BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= limit:
                return out.getvalue(), image
        if max(image.size) <= SMALLEST_EDGE:
            return out.getvalue(), image
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)), Image.Resampling.LANCZOS)


def _facts(image: Image.Image) -> PhotoFacts:
    """What EXIF says; whatever does not parse counts as not said."""
    try:
        exif = image.getexif()
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        text = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return PhotoFacts(None, None)
    return PhotoFacts(_place(gps), _taken_at(text))


def _place(gps: dict[int, object]) -> Place | None:
    try:
        latitude = _degrees(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], "S")
        longitude = _degrees(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], "W")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    on_earth = abs(latitude) <= 90 and abs(longitude) <= 180  # noqa: PLR2004 - the poles and the date line
    return Place(latitude, longitude) if on_earth else None


def _degrees(parts: object, side: object, negative: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
    value = degrees + minutes / 60 + seconds / 3600
    if value != value:  # noqa: PLR0124 - a rational 0/0
        raise ValueError("no number")
    return -value if side == negative else value


def _taken_at(text: object) -> datetime | None:
    try:
        return datetime.strptime(str(text), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the camera knows no zone
    except ValueError:
        return None
