"""Receiving uploads: encrypted before they touch the disk, judged while they arrive.

Django spools large uploads in clear to the temporary folder. `EncryptingUploadHandler` replaces
that for the whole site: each chunk is sealed and appended to the spool, memory stays at a chunk,
and the file is refused as soon as its first bytes or its size say so.

A view that takes a file says for what:

    @access("suspects.verify")
    @takes_upload("evidence")
    def verify(request): ...
        upload = received(request, "photo")      # raises the refusal, if there was one

Addresses that do not say so take no file from anybody, and none takes one from a stranger, so
nobody fills the disk through the sign-in page. The refusal waits until the view asks, because
Django parses the form while it looks for the CSRF token, where no page could be shown.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeVar

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from wanjia.files.errors import EmptyFile, NoFile, TooLarge, UploadNotExpected, WrongType
from wanjia.files.purposes import Purpose, purpose_named
from wanjia.files.sniffing import HEAD, KINDS, kind_of, stray_line, title_of
from wanjia.files.vault import spool_path
from wanjia.kernel.disk import DiskFull, disk_full
from wanjia.kernel.errors import Refusal
from wanjia.kernel.points import reached
from wanjia.scope.keys import keyring

V = TypeVar("V", bound=Callable[..., Any])
MEGABYTE = 1024 * 1024
_LENGTH = 4


def takes_upload(purpose: str) -> Callable[[V], V]:
    """Declare that a view takes files, and for which purpose of `data/purposes.yaml`."""

    def declare(view: V) -> V:
        view.upload_purpose = purpose  # type: ignore[attr-defined]
        return view

    return declare


class SealedSpool:
    """A growing encrypted file: records of `length (4) | sealed chunk`, each bound to its number."""

    def __init__(self) -> None:
        self.path = spool_path()
        self._out: IO[bytes] | None = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._records = 0
        self._cipher = keyring().cipher

    def append(self, chunk: bytes) -> None:
        """Seal one chunk and write it."""
        assert self._out is not None  # noqa: S101 - nothing is appended after `end`
        sealed = b"".join(self._cipher.seal_stream([chunk], self._context(self._records)))
        self._out.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        self._records += 1

    def end(self) -> None:
        """Nothing more will come."""
        if self._out is not None:
            out, self._out = self._out, None
            out.close()

    def chunks(self) -> Iterator[bytes]:
        """The clear chunks, from the beginning."""
        with self.path.open("rb") as source:
            for number in range(self._records):
                sealed = source.read(int.from_bytes(source.read(_LENGTH), "big"))
                yield from self._cipher.open_stream([sealed], self._context(number))

    def discard(self) -> None:
        """Remove it; harmless twice."""
        self.end()
        self.path.unlink(missing_ok=True)

    def _context(self, number: int) -> str:
        return f"spool {self.path.name} {number}"


if TYPE_CHECKING:
    _Upload = UploadedFile[bytes]
else:
    _Upload = UploadedFile  # generic in the stubs only


class SealedUpload(_Upload):
    """An upload that lies encrypted in the spool until the request ends."""

    def __init__(self, spool: SealedSpool, **described: Any) -> None:
        self._spool = spool
        self.kind: str = described.pop("kind")
        self.content_key: str = described.pop("content_key")
        self.sha256: str = described.pop("sha256")
        super().__init__(file=None, **described)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:  # noqa: ARG002 - Django's signature
        """The clear content, in the chunks it came in."""
        return self._spool.chunks()

    def multiple_chunks(self, chunk_size: int | None = None) -> bool:  # noqa: ARG002 - Django's signature
        return True

    def read(self, num_bytes: int = -1) -> bytes:
        """All of the content. For what is bounded by its purpose; others use `chunks`."""
        content = b"".join(self.chunks())
        return content if num_bytes < 0 else content[:num_bytes]

    def open(self, mode: str | None = None) -> SealedUpload:  # type: ignore[override]  # noqa: ARG002 - Django's signature
        return self

    def close(self) -> None:
        self._spool.discard()

    @property
    def closed(self) -> bool:
        return not self._spool.path.exists()


class EncryptingUploadHandler(FileUploadHandler):
    """Seals uploads as they arrive; see the module."""

    chunk_size = 64 * 1024

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - Django's signature
        self._purpose = _expected(self.request)
        self._spool: SealedSpool | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._discard()
        if self._purpose is None:
            self._refuse(UploadNotExpected())
        with self._room():
            self._spool = SealedSpool()
        self._head = b""
        self._size = 0
        self._kind: str | None = None
        self._key = keyring().content_digest()
        self._sha256 = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django's signature
        assert self._purpose is not None  # noqa: S101 - new_file refused otherwise
        assert self._spool is not None  # noqa: S101 - made by new_file
        self._size += len(raw_data)
        if self._size > self._purpose.max_bytes:
            self._refuse(TooLarge(limit_mb=self._purpose.max_bytes // MEGABYTE))
        if len(self._head) < HEAD:
            self._head += raw_data[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._judge()
        self._key.update(raw_data)
        self._sha256.update(raw_data)
        with self._room():
            self._spool.append(raw_data)

    def file_complete(self, file_size: int) -> SealedUpload | None:  # noqa: ARG002 - Django's signature
        if self._spool is None:  # refused; the parser has skipped the rest of it
            return None
        spool, self._spool = self._spool, None
        try:
            with self._room():
                spool.end()
            reached("files.spooled")
            if not self._size:
                self._refuse(EmptyFile())
            self._judge()
        except SkipFile:  # too late to skip: the parser expects an answer here
            spool.discard()
            return None
        assert self._kind is not None  # noqa: S101 - judged just now
        return SealedUpload(
            spool,
            name=self.file_name,
            content_type=KINDS[self._kind].media_type,
            size=self._size,
            charset=None,
            kind=self._kind,
            content_key=self._key.hexdigest(),
            sha256=self._sha256.hexdigest(),
        )

    def upload_interrupted(self) -> None:
        self._discard()

    def _judge(self) -> None:
        """Decide by the first bytes what the file is, once."""
        assert self._purpose is not None  # noqa: S101 - new_file refused otherwise
        if self._kind is not None:
            return
        found = kind_of(self._head)
        if found is None or found not in self._purpose.types:
            refusal = wrong_type(title_of(self._head), self._purpose)
            refusal.stray_line = stray_line(self._head) if found is None else None
            self._refuse(refusal)
        self._kind = found

    def _refuse(self, refusal: Refusal) -> None:
        """Keep the refusal for the view, forget the file, and let the parser skip the rest of it."""
        refused: dict[str, Refusal] = self.request.__dict__.setdefault("upload_refusals", {})
        refused.setdefault(self.field_name or "", refusal)
        self._discard()
        raise SkipFile

    @contextmanager
    def _room(self) -> Iterator[None]:
        """Writing to the spool; a full disk refuses the file and not the whole request."""
        try:
            yield
        except OSError as error:
            if not disk_full(error):
                raise
            self._refuse(DiskFull())

    def _discard(self) -> None:
        spool = getattr(self, "_spool", None)
        if spool is not None:
            spool.discard()
        self._spool = None


def wrong_type(found: str, purpose: Purpose) -> WrongType:
    """The refusal of a content, called `found`, that the purpose does not take."""
    allowed = ", ".join(KINDS[kind].title for kind in sorted(purpose.types - {"ole"}))  # told apart, not taken
    return WrongType(found=found, allowed=allowed)


def _expected(request: HttpRequest | None) -> Purpose | None:
    """The purpose for which this request's view takes files; None if it takes none, or from nobody we know."""
    if request is None or not getattr(getattr(request, "viewer", None), "user_id", 0):
        return None
    try:
        view = resolve(request.path_info, getattr(request, "urlconf", None)).func
    except Resolver404:
        return None
    purpose = getattr(view, "upload_purpose", None)
    return purpose_named(purpose) if purpose else None


def received(request: HttpRequest, field: str) -> SealedUpload:
    """The file of a form field. Raises what was wrong with it, or NoFile."""
    found = received_if_any(request, field)
    if found is None:
        raise NoFile
    return found


def received_if_any(request: HttpRequest, field: str) -> SealedUpload | None:
    """As `received`, for a field that may stay empty."""
    upload = request.FILES.get(field)  # parses the form, if nobody has yet
    refused: dict[str, Refusal] = getattr(request, "upload_refusals", {})
    if field in refused:
        raise refused[field]
    return upload if isinstance(upload, SealedUpload) else None


def received_all(request: HttpRequest, field: str) -> tuple[list[SealedUpload], Refusal | None]:
    """The files of a field that takes several, and what was wrong with the first of those that were refused."""
    uploads = request.FILES.getlist(field)  # parses the form, if nobody has yet
    refused: dict[str, Refusal] = getattr(request, "upload_refusals", {})
    return [upload for upload in uploads if isinstance(upload, SealedUpload)], refused.get(field)


def sealed_from(content: Iterator[bytes] | io.BufferedIOBase | bytes, name: str, purpose: str) -> SealedUpload:
    """A content that did not come through a form (the phone, the command line) as an upload.

    Raises the same refusals. The caller closes it.
    """
    handler = EncryptingUploadHandler(request=HttpRequest())
    handler._purpose = purpose_named(purpose)  # noqa: SLF001 - the other way into the same judgement
    handler._spool = None  # noqa: SLF001 - as above
    try:
        handler.new_file("file", _nameable(name), "", None)
        for chunk in _parts(content):
            handler.receive_data_chunk(chunk, 0)
    except SkipFile:
        upload = None
    else:
        upload = handler.file_complete(0)
    if upload is None:
        raise handler.request.__dict__["upload_refusals"]["file"]
    return upload


def _nameable(name: str) -> str:
    """The name, unless it names a folder, which Django refuses to carry; our own is made from it later."""
    return name if os.path.basename(name) not in {"", ".", ".."} else "_"  # noqa: PTH119 - exactly Django's question


def _parts(content: Iterator[bytes] | io.BufferedIOBase | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        content = io.BytesIO(content)
    if isinstance(content, io.IOBase):
        source = content
        content = iter(lambda: source.read(EncryptingUploadHandler.chunk_size), b"")
    return iter(content)
