"""What offices do in a few days, over HTTP, and what goes wrong while they do it.

Everybody reads pages; the county searches, reveals, corrects and exports; the province takes in a
file, compares and issues; verifiers file photos; faults are provoked wherever a row is at hand.
"""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from PIL import ExifTags, Image

from tests.leaks.client import Answer, Form, Reader, Record, multipart
from tests.leaks.faults.breaking import WAYS
from tests.leaks.installation import Installation
from tests.leaks.needles import Needles
from wanjia.demo.world import Numbers
from wanjia.kernel import clock

ROLES = (
    "province", "leader", "traffic", "housing", "auditor", "sysadmin", "secadmin", "audadmin",
    "city", "county", "township", "verifier", "village", "contact",
)  # fmt: skip
BY_NAME, ECHO, SHEET = "asked for with a reason", "typed a moment ago", "reject sheet"
WITHIN = 180  # seconds a background job may take
REASON = "核对银行卡发放信息"


@dataclass
class Work:
    """The people at work in one installation."""

    at: Installation
    pages: int  # how many each role reads
    thorough: bool = True  # else without the command line, and in a county too small for everybody to have a case
    record: Record = field(default_factory=Record)
    readers: dict[str, Reader] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(5))

    def __post_init__(self) -> None:
        people = self.at.truth["people"]
        fresh = Numbers(self._chance, "451228")
        fresh._used = {person["number"][:17] for person in people}
        self.new_numbers = [fresh.take(clock.today().replace(year=1985, month=3, day=4), male=True) for _ in range(60)]
        self.new_phones = [f"1397799{n:04d}" for n in range(20)]
        self.person = next(person for person in people if person["number"].endswith("X"))
        self.other = people[len(people) // 2]

    @property
    def needles(self) -> Needles:
        """What was there before, and what this work adds."""
        return self.at.needles.joined(Needles.of(self.new_numbers, self.new_phones))

    def reader(self, name: str) -> Reader:
        if name not in self.readers:
            self.readers[name] = Reader(self.at.url, name, self.record).signed_in()
        return self.readers[name]

    def everything(self) -> Work:
        """All of it, in an order in which each step finds what it needs."""
        for step in (
            self.strangers_type_numbers,
            self.somebody_searches,
            self.somebody_reveals,
            self.somebody_corrects,
            self.a_file_comes,
            self.files_that_are_broken,
            self.a_comparison,
            self.an_upload_is_cut_off,
            self.evidence,
            self.notes_with_numbers,
            self.accounts,
            self.exports,
            self.faults,
            self.typed_addresses,
            self.everybody_reads,
            *([self.commands] if self.thorough else []),
        ):
            begun = time.monotonic()
            step()
            self.done[step.__name__] = round(time.monotonic() - begun, 1)
        return self

    # Steps

    def strangers_type_numbers(self) -> None:
        """People sign in with what they have at hand: their number, their phone."""
        stranger = Reader(self.at.url, "stranger", self.record)
        for name in (self.person["number"], self.at.truth["phones"][0], self.person["number"].lower()):
            page = stranger.get("/sign-in/")
            answer = stranger.submit(page, page.page.forms[-1], kind=ECHO, username=name, password=self.other["number"])
            assert answer.status == 401

    def somebody_searches(self) -> None:
        """In every field of every list somebody types a number, and a number that is nobody's phone."""
        for name in ("county", "province", "auditor", "secadmin"):
            reader = self.reader(name)
            for address in ("/registry/households/", "/people/", "/cases/", "/audit/", "/comparison/", "/sources/"):
                page = reader.get(address)
                if page.status != 200:
                    continue
                for form in _lists(page):
                    for text in form.texts:
                        for typed in (self.person["number"], self.at.truth["phones"][3]):
                            reader.submit(page, form, kind=ECHO, **{text: typed})
        county = self.reader("county")
        found = county.get("/registry/households/")
        search = next(form for form in found.page.forms if form.action.endswith("/search/"))
        answer = county.submit(found, search, kind=ECHO, text=self.person["number"])
        assert any("/registry/households/" in link for link in _rows(answer)), "the number finds its household"
        for link in _rows(answer)[:3]:
            county.get(link)
        county.post("/registry/households/suggest/", text=self.person["number"])

    def somebody_reveals(self) -> None:
        county = self.reader("county")
        address = self.household_of(self.person)
        page = county.get(address)
        form = next(form for form in page.page.forms if form.action.endswith("/reveal/"))
        for what in form.options["what"]:
            shown = county.submit(page, form, kind=BY_NAME, what=what, reason=REASON)
            assert shown.status == 200
        whole = county.submit(page, form, kind=BY_NAME, what=f"id_number:{self.person['no']}", reason=REASON)
        assert self.person["number"] in whole.text, "what is asked for with a reason is shown"
        said = f"核对 {self.person['number']}"
        assert county.submit(page, form, what=form.options["what"][0], reason=said).status >= 400
        assert county.submit(page, form, what=form.options["what"][0], reason="").status >= 400

    def somebody_corrects(self) -> None:
        county = self.reader("county")
        address = self.household_of(self.other)
        page = county.get(f"{address}correct/")
        form = next(form for form in page.page.forms if "reason" in form.fields)
        number = f"id_number-{self.other['no']}"
        phone = next(name for name in form.fields if name.startswith("phone-"))
        wrong = self.new_numbers[0][:17] + ("1" if self.new_numbers[0][17] != "1" else "2")
        county.submit(page, form, kind=ECHO, **{number: wrong, "reason": REASON})
        county.submit(page, form, kind=ECHO, **{number: self.new_numbers[0], "reason": f"原号 {self.other['number']}"})
        hamlet = next(name for name in form.fields if name.startswith("hamlet-"))
        for typed in (self.other["number"], f"屯长电话{self.new_phones[7]}"):
            refused = county.submit(page, form, kind=ECHO, **{hamlet: typed, "reason": REASON})
            assert refused.status == 400, "a field of text takes no number of a person"
        done = county.submit(page, form, **{number: self.new_numbers[0], phone: self.new_phones[0], "reason": REASON})
        assert done.status == 200
        assert done.url == address, "the correction is taken"

    def a_file_comes(self) -> None:
        """A delivery with numbers nobody has seen yet, rejected rows among them, under a telling name."""
        traffic = self.reader("province")
        content = self.delivery(self.new_numbers[1:50])
        name = f"{self.new_numbers[1]}机动车{self.new_phones[1]}.csv"
        batch = self.uploaded(traffic, content, name)
        page = self.waited(traffic, batch, "/accept/")
        sheet = next(link for link in page.page.links if link.endswith("rejects.csv"))
        rows = traffic.get(sheet, kind=SHEET)
        traffic.get(f"{sheet}?format=xlsx", kind=SHEET)
        assert any(number[:17] in rows.text for number in self.new_numbers), "the sheet is the sender's own rows"
        done = traffic.submit(page, next(form for form in page.page.forms if form.action.endswith("/accept/")))
        assert done.status == 200

    def files_that_are_broken(self) -> None:
        province = self.reader("province")
        text = self.delivery(self.new_numbers[1:20]).decode("gb18030")
        for content, name in (
            (text.replace("身份证明号码", "号").encode("gb18030"), "没有证件列.csv"),
            (text.replace(",", "\t").encode("utf-16"), "utf16.csv"),
            (text.encode("gb18030").replace("号".encode("gb18030"), b"\xff\xff\xff"), "坏字节.csv"),
            (text.encode("gb18030")[:-7] + b'"\x00\x00', "截断.csv"),
            (b"PK\x03\x04" + text.encode(), f"{self.new_numbers[2]}.xlsx"),
            (f"{self.new_numbers[3]}\r\n".encode() * 50, "没有表头.csv"),
            (b"", "空.csv"),
        ):
            page = province.get("/sources/upload/")
            form = next(form for form in page.page.forms if form.files)
            answer = province.submit(page, form, files=[("file", name, content)])
            if answer.status == 200 and re.fullmatch(r"/sources/\d+/", answer.url):
                self.waited(province, answer.url, "", patient=False)
        # a body that is no form at all
        for body in (text.encode("gb18030"), b"--x\r\n" + text.encode("gb18030")):
            connection, headers = province.raw()
            connection.request(
                "POST", "/sources/upload/", body, headers | {"Content-Type": "multipart/form-data; boundary=x"}
            )
            connection.getresponse().read()
            connection.close()
        connection, headers = province.raw()
        connection.request("POST", "/registry/households/search/", f"text={self.person['number']}".encode(), headers)
        connection.getresponse().read()
        connection.close()

    def a_comparison(self) -> None:
        province = self.reader("province")
        page = province.get("/comparison/")
        form = next(form for form in page.page.forms if form.action.endswith("/request/"))
        answer = province.submit(page, form)
        deadline = time.monotonic() + WITHIN
        while "/jobs/" in answer.url and time.monotonic() < deadline:
            time.sleep(0.3)
            answer = province.get(answer.url)
        assert "/runs/" in answer.url, answer.url
        for link in answer.page.links:
            if "/findings/" in link:
                province.get(urljoin(answer.url, link))

    def an_upload_is_cut_off(self) -> None:
        """A phone that loses its signal in the middle of a file, and one that comes to its end slowly."""
        province = self.reader("province")
        page = province.get("/sources/upload/")
        form = next(form for form in page.page.forms if form.files)
        content = self.delivery(self.new_numbers[20:50]) * 400
        body, content_type = multipart(form.fields, [("file", "断线.csv", content)])
        for whole in (False, True):
            connection, headers = province.raw()
            connection.putrequest("POST", "/sources/upload/")
            for name, value in (headers | {"Content-Type": content_type, "Content-Length": str(len(body))}).items():
                connection.putheader(name, value)
            connection.endheaders()
            half = len(body) // 2
            connection.send(body[:half])
            time.sleep(0.5)
            if whole:
                connection.send(body[half:])
                connection.getresponse().read()
            connection.close()

    def evidence(self) -> None:
        """Photos that tell more than they show, a document with numbers in it."""
        verifier, filed = self.reader("verifier"), 0
        mine = verifier.get("/cases/mine/")
        for link in [link for link in mine.page.links if re.fullmatch(r"/cases/\d+/", link)][:2]:
            page = verifier.get(link)
            sent = (form.sent_to("/evidence/") for form in page.page.forms)
            form = next((form for form in sent if form is not None), None)
            if form is None:
                continue
            for name, content in (
                (f"{self.person['number']}.jpg", self.photo()),
                ("明细.pdf", f"%PDF-1.7\n({self.person['number']} {self.new_phones[4]})\n%%EOF\n".encode()),
                ("假.jpg", f"\xff\xd8\xff\xe0{self.person['number']}".encode("latin-1")),
            ):
                answer = verifier.submit(page, form, files=[("evidence", name, content)])
                filed += answer.status == 200
            for shown in answer.page.links:
                if "/files/" in shown:
                    verifier.get(shown, kind=BY_NAME)
        assert filed >= 2 or not self.thorough, "photos and documents are filed"

    def notes_with_numbers(self) -> None:
        verifier, refused = self.reader("verifier"), 0
        for link in [link for link in verifier.get("/cases/mine/").page.links if re.fullmatch(r"/cases/\d+/", link)][
            :2
        ]:
            page = verifier.get(link)
            for form in page.page.forms:
                if form.action.endswith("/act/") and "note" in form.fields:
                    outcome = form.options.get("outcome", [""])[0]
                    said = f"户主证件 {self.person['number']}，已核对。"
                    answer = verifier.submit(page, form, kind=ECHO, outcome=outcome, note=said)
                    assert answer.status >= 400, "a note that holds a number is refused"
                    refused += 1
        assert refused or not self.thorough

    def accounts(self) -> None:
        """An account with its holder's number, twice, and one whose name is a number."""
        keeper = self.reader("secadmin")
        page = keeper.get("/people/open/")
        form = next(form for form in page.page.forms if "id_number" in form.fields)
        words = {"display_name": "覃新来", "area_code": "45", "password": "Kaoyan-2020-wanjia"}
        for username in ("xinlai", "xinlai-2", self.person["number"].lower(), self.new_phones[5]):
            words["display_name"] = self.new_numbers[51] if username == "xinlai-2" else "覃新来"
            given = {"username": username, "phone": self.new_phones[6], "id_number": self.new_numbers[50]}
            keeper.submit(page, form, kind=ECHO, **words, **given)
        people = keeper.get("/people/")
        for link in [link for link in people.page.links if re.fullmatch(r"/people/\d+/", link)][:3]:
            page = keeper.get(link)
            for form in page.page.forms:
                if form.action.endswith("/lock/"):
                    keeper.submit(page, form, kind=ECHO, reason=f"离岗 {self.person['number']}")

    def exports(self) -> None:
        for name in ("county", "city", "province", "leader"):
            self.reader(name).get("/registry/households/export/", kind="export")
            self.reader(name).get("/registry/households/export/?status=1", kind="export")
            self.reader(name).get("/registry/households/export/?format=xlsx", kind="export")

    def faults(self) -> None:
        county = self.reader("county")
        for way in WAYS:
            answer = county.get(f"/faults/page/{way}/{self.person['no']}/", typed=True)
            assert answer.status == 500
            with contextlib.suppress(http.client.HTTPException, ConnectionError):  # half an answer, and then none
                county.get(f"/faults/streamed/{way}/{self.person['no']}/", typed=True)
            assert county.get(f"/faults/job/{way}/{self.other['no']}/", typed=True).status == 200
        deadline = time.monotonic() + WITHIN
        while b"jobs.internal_error" not in (jobs := county.get("/jobs/")).body and time.monotonic() < deadline:
            if "未完成" in jobs.text:
                break
            time.sleep(0.3)

    def typed_addresses(self) -> None:
        """What somebody typed into the address bar must not stay in a log."""
        county, number, phone = self.reader("county"), self.person["number"], self.at.truth["phones"][1]
        for address in (
            f"/registry/households/{number[:17]}/",
            f"/registry/households/{number}/",
            f"/{number}",
            f"/registry/households/?text={number}",
            f"/registry/households/?after={number}",
            f"/people/?q={phone}",
            f"/cases/?household={number[:17]}",
            f"/cases/{number[:17]}/",
            f"/files/{number[:17]}/",
            f"/static/{number}.js",
            f"/divisions/children/?area={number}&name={number}",
        ):
            county.get(address, typed=True, kind=ECHO)
        county.post(
            f"/registry/households/{number[:17]}/reveal/",
            typed=True,
            kind=ECHO,
            what=f"id_number:{number[:9]}",
            reason=REASON,
        )

    def everybody_reads(self) -> None:
        """Every role follows links from page to page."""
        for name in ROLES:
            reader, seen = self.reader(name), set[str]()
            waiting = ["/"]
            while waiting and len(seen) < self.pages:
                address = waiting.pop(0)
                if address in seen:
                    continue
                seen.add(address)
                answer = reader.get(address, kind="export" if "export" in address else "page")
                if "html" not in answer.headers.get("Content-Type", ""):
                    continue
                links = [urljoin(answer.url, link).partition("#")[0] for link in answer.page.links]
                ours = [link for link in links if urlsplit(link).path.startswith("/") and not urlsplit(link).netloc]
                fresh = [one for one in dict.fromkeys(ours) if "rejects.csv" not in one and "/static/" not in one]
                self._chance.shuffle(fresh)  # else the first list's rows are all that is seen
                waiting += fresh

    def commands(self) -> None:
        """The command line, on files that are wrong."""
        for name, content in (("好.csv", self.delivery(self.new_numbers[1:40])), ("坏.csv", b"\x00" * 40)):
            file = self.at.folder / f"desk-{name}"
            file.write_bytes(content + b"\r\n")
            self.at.command("intake", str(file), "--accept")
            file.unlink()
        file.write_bytes(b"-")
        for way in ("value_error", "with_a_note", "thread"):
            self.at.command("intake", str(file), fault=f"{way} {self.person['no']}")
        file.unlink()
        self.at.command("compare", "--json")

    # What the steps share

    def household_of(self, person: dict[str, str]) -> str:
        county = self.reader("county")
        page = county.get("/registry/households/")
        form = next(form for form in page.page.forms if form.action.endswith("/search/"))
        return _rows(county.submit(page, form, kind=ECHO, text=person["number"]))[0]

    def delivery(self, numbers: list[str]) -> bytes:
        """A register of vehicles with these numbers: two in five rows wrong in some way."""
        source = next((self.at.home / "inbox").glob("*机动车*")).read_bytes().decode("gb18030").splitlines()
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        header = next(csv.reader([source[1]]))
        writer.writerow(header)
        for serial, number in enumerate(numbers):
            row = [str(serial + 1), f"桂M{serial:05d}", "小型轿车", "非营运", "五菱宏光", "2015-03-04", "正常"]
            row += ["韦大山", number, "都安县"]
            if serial % 5 == 1:
                row[5] = "不详"
            if serial % 5 == 3:
                row[8] = number[:17] + ("1" if number[17] != "1" else "2")
            writer.writerow(row)
        writer.writerow([f"合计 {self._chance.random()}"])
        return out.getvalue().encode("gb18030")

    def uploaded(self, reader: Reader, content: bytes, name: str) -> str:
        page = reader.get("/sources/upload/")
        form = next(form for form in page.page.forms if form.files)
        answer = reader.submit(page, form, files=[("file", name, content)])
        assert answer.status == 200, answer.text[:2000]
        assert re.fullmatch(r"/sources/\d+/", answer.url), answer.url
        return answer.url

    def waited(self, reader: Reader, address: str, action: str, *, patient: bool = True) -> Answer:
        deadline = time.monotonic() + (WITHIN if patient else 8)
        while True:
            page = reader.get(address)
            ready = (
                any(form.action.endswith(action) for form in page.page.forms)
                if action
                else "/progress/" not in page.text
            )
            if ready or time.monotonic() > deadline:
                assert ready or not patient, page.text[-3000:]
                return page
            time.sleep(0.3)

    def photo(self) -> bytes:
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = self.person["number"]
        exif[ExifTags.Base.XPComment] = self.person["number"].encode("utf-16-le")
        out = io.BytesIO()
        picture = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
        picture.save(out, "JPEG", exif=exif, comment=f"{self.person['number']} {self.new_phones[3]}".encode())
        return out.getvalue() + self.person["number"].encode()


def _lists(page: Answer) -> Iterator[Form]:
    """The forms of a page that look for something."""
    for form in page.page.forms:
        if form.texts and (form.method == "get" or form.action.endswith("/search/")):
            yield form


def _rows(answer: Answer) -> list[str]:
    return [link for link in answer.page.links if re.fullmatch(r"/registry/households/\d+/", link)]
