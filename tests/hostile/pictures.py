"""Pictures that are something else as well, or larger than they look."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image, PngImagePlugin

from tests.files.pictures import PDF, exif_with_place, jpeg, picture

MARKERS = (
    b"HIDDEN",
    b"<script",
    b"HUAWEI",
    b"PK\x03\x04",
    b"%PDF",
    b"JFXX",
    b"ICC_PROFILE",
    b"ns.adobe.com",
    b"Exif",
    b"<?php",
)
SCRIPT = b"<script>alert('HIDDEN')</script>"


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("HIDDEN.html", SCRIPT)
    return out.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2, data: bytes | None = None) -> bytes:
    """A PNG that claims to be so large; with `data` as its packed pixels, else with next to none."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    pixels = _chunk(b"IDAT", zlib.compress(bytes(1000)) if data is None else data)
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + _chunk(b"IEND", b"")


def black(width: int, height: int) -> bytes:
    """A whole, honest and very large PNG of one bit a pixel: a few kB."""
    packer, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png(width, height, depth=1, colour=0, data=data)


def _segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def _with_segments(*segments: bytes) -> bytes:
    whole = jpeg()
    return whole[:2] + b"".join(segments) + whole[2:]


def _animation(format_: str, frames: int, **more: object) -> bytes:
    out = io.BytesIO()
    images = [Image.new("RGB", (32, 32), (n % 256, n // 256, 7)) for n in range(frames)]
    images[0].save(out, format_, save_all=True, append_images=images[1:], **more)
    return out.getvalue()


def _png_with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "HIDDEN<script>")
    info.add_itxt("XML:com.adobe.xmp", "<x xmlns='http://ns.adobe.com/xap/1.0/'>HIDDEN 23.93</x>")
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(out, "PNG", pnginfo=info, exif=exif_with_place(), icc_profile=b"HIDDEN" * 50)
    return out.getvalue()


def _webp_with_everything() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48)).save(
        out, "WEBP", exif=exif_with_place(), xmp=b"<x>HIDDEN ns.adobe.com</x>", icc_profile=b"HIDDEN" * 50
    )
    return out.getvalue()


# Taken, because they are pictures; of everything else in them nothing is kept.
TWO_FACED = {
    "html behind a jpeg": jpeg() + SCRIPT,
    "html behind a png": picture("PNG") + SCRIPT,
    "html behind a webp": picture("WEBP") + SCRIPT,
    "zip behind a jpeg": jpeg() + _archive(),
    "zip behind a png": picture("PNG") + _archive(),
    "pdf behind a jpeg": jpeg() + PDF,
    "php behind a jpeg": jpeg() + b"<?php HIDDEN ?>",
    "script in a jpeg comment": _with_segments(_segment(0xFE, SCRIPT)),
    "html in an application segment": _with_segments(_segment(0xEC, b"<html>" + SCRIPT)),
    "pdf in a jpeg comment": _with_segments(_segment(0xFE, PDF)),
    "position in exif": jpeg(exif=exif_with_place()),
    "position in xmp": _with_segments(_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>HIDDEN 23.93</x>")),
    "colour profile": jpeg(icc_profile=b"HIDDEN" * 50),
    "picture in the picture": _with_segments(_segment(0xE0, b"JFXX\0\x10" + jpeg(16, 16) + b"HIDDEN")),
    "photoshop block": _with_segments(_segment(0xED, b"Photoshop 3.0\0HIDDEN")),
    "png with text, xmp, exif and profile": _png_with_text(),
    "webp with exif, xmp and profile": _webp_with_everything(),
    "javascript in a png chunk": png(2, 2, _chunk(b"tEXt", b"Comment\0" + SCRIPT), data=zlib.compress(bytes(14))),
    "thousand frames of png": _animation("PNG", 1000),
    "thousand frames of webp": _animation("WEBP", 300, lossless=True, method=0),
    "two jpegs in one": jpeg(64, 64) + jpeg(64, 64, comment=b"HIDDEN"),
}

# Not taken at all, whatever their names say.
NO_PICTURES = {
    "html": b"<!DOCTYPE html><html>" + SCRIPT,
    "html with a mark": b"\xef\xbb\xbf<html>" + SCRIPT,
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "svg behind an xml line": b"<?xml version='1.0'?><svg onload='alert(1)'/>",
    "html before a jpeg": SCRIPT + jpeg(),
    "spaces before a png": b"  " + picture("PNG"),
    "zip before a jpeg": _archive() + jpeg(),
    "zip": _archive(),
    "gif": picture("GIF"),
    "gif that is a script": b"GIF89a/*" + bytes(20) + b"*/=1;alert('HIDDEN')//",
    "gif of a thousand frames": _animation("GIF", 1000),
    "tiff": picture("TIFF"),
    "tiff of many pages": _animation("TIFF", 300),
    "bmp": picture("BMP"),
    "icon": picture("ICO"),
    "postscript": b"%!PS\n(HIDDEN) show",
    "pdf late": b"GIF89a" + bytes(100) + PDF,
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "program": b"MZ\x90\0" + bytes(200),
    "heic": b"\0\0\0\x18ftypheic" + bytes(100),
    "phar": b"<?php __HALT_COMPILER(); ?>" + jpeg(),
}

# Pictures by their first bytes and by nothing else, or too large to be opened.
SPOILED = {
    "50,000 × 50,000 png": png(50_000, 50_000),
    "whole 40,000 × 40,000 png": black(40_000, 10_000),
    "7,000 × 7,000 of one bit": black(7_000, 7_000),
    "65,535 × 65,535 jpeg": jpeg().replace(b"\x02\x58\x03\x20", b"\xff\xff\xff\xff", 1),
    "16,383 × 16,383 webp": b"RIFF\x30\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0\xfe\x3f\0" + bytes(30),
    "png of no size": png(0, 0),
    "png whose sizes lie": png(2_000_000_000, 1),
    "png with a text bomb": png(64, 64, *[_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(8 << 20), 9))] * 9),
    "png with a profile bomb": png(64, 64, _chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(64 << 20), 9))),
    "jpeg cut in half": jpeg()[: len(jpeg()) // 2],
    "png cut in half": picture("PNG", 640, 480)[:300],
    "webp cut in half": picture("WEBP", 640, 480)[:60],
    "jpeg of one mark": b"\xff\xd8\xff",
    "png of one mark": b"\x89PNG\r\n\x1a\n",
    "jpeg mark, then html": b"\xff\xd8\xff\xe0<html>" + SCRIPT,
    "png mark, then html": b"\x89PNG\r\n\x1a\n<html>" + SCRIPT,
    "webp mark, then html": b"RIFF\xff\xff\xff\x7fWEBP<html>" + SCRIPT,
}
