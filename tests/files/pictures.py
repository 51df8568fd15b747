"""Pictures and documents made on the spot, with whatever has to be hidden in them."""

import io

import numpy as np
from PIL import ExifTags, Image


def jpeg(width=800, height=600, *, exif=None, noise=False, **more):
    out = io.BytesIO()
    _image(width, height, noise=noise).save(out, "JPEG", **({"exif": exif} if exif else {}), **more)
    return out.getvalue()


def picture(format_, width=64, height=48, mode="RGB"):
    out = io.BytesIO()
    _image(width, height).convert(mode).save(out, format_)
    return out.getvalue()


def _image(width, height, *, noise=False):
    if noise:  # compresses badly, like a hillside full of leaves
        return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8))
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


def exif_with_place(*, orientation=1):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "HUAWEI-SECRET-MAKE"
    exif[ExifTags.Base.Orientation] = orientation
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (23.0, 55.0, 48.0)
    gps[ExifTags.GPS.GPSLongitudeRef] = "E"
    gps[ExifTags.GPS.GPSLongitude] = (108.0, 6.0, 36.0)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2020:11:15 10:20:30"
    return exif


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
CSV = "序号,号牌号码\r\n1,桂M12345\r\n".encode("gb18030")
