"""Names of files, cleaned. They are shown and offered on download; no path is ever made of them."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 120  # bytes of UTF-8, well below the 255 of file systems
_SEPARATORS = re.compile(r"[/\\\u2044\u2215\u29f8\uff0f\uff3c\u2216]")
_RESERVED = re.compile(r'[<>:"|?*%;&$`\'#{}]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def clean_name(raw: str, extension: str, fallback: str = "文件") -> str:
    """The last part of the sender's name, with nothing in it that means anything, ending in `extension`.

    The extension follows from the content, not from the sender. Control characters, direction
    marks (they make "exe.txt" of "txt.exe"), separators in any script and characters reserved
    anywhere are dropped.
    """
    text = unicodedata.normalize("NFC", raw.encode("utf-8", "ignore").decode())
    text = _SEPARATORS.split(text.replace("\0", ""))[-1]
    text = "".join(letter for letter in text if unicodedata.category(letter)[0] != "C")
    text = _RESERVED.sub("_", unicodedata.normalize("NFKC", text))
    text = _SEPARATORS.sub("_", _RESERVED.sub("_", text))  # NFKC may have made new ones
    stem = text.rsplit(".", 1)[0] if "." in text.strip(". ") else text
    stem = re.sub(r"\s+", " ", stem).strip(" ._")
    stem = re.sub(r"\.{2,}", ".", stem)
    if _DEVICES.fullmatch(stem.split(".")[0]):
        stem = f"_{stem}"
    room = LONGEST - len(extension.encode())
    stem = stem.encode()[:room].decode("utf-8", "ignore").strip(" .")
    return (stem or fallback) + extension
