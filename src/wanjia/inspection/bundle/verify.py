"""Verify the papers of an audit sample, without the platform and without a network.

    python verify.py               the folder this file was unpacked into
    python verify.py sample-7.zip  the zip itself

Needs Python 3.8 or later and nothing else. What is recomputed:

1. every file of the zip against `manifest.json` (SHA-256);
2. the draw: SHA-256 of `population.txt`, and which numbers the seed draws from it: rank every
   number by SHA-256 of the text `seed:number`, the smallest are the sample;
3. every entry of the log in `entries/`, from its opening:
     commit = SHA-256(salt ‖ content), sm3 = SM3(salt ‖ content), the content as JSON with sorted
              keys, without spaces, in UTF-8;
     leaf   = {"area","at","commit","event_id","kind","sm3","v"} written the same way, area cut to
              six digits; leaf hash = SHA-256(0x00 ‖ leaf);
   and of a bulk act each row of the sample: digest = SHA-256(salt ‖ row), its way up to the root
   that stands in the content: node = SHA-256(0x01 ‖ left ‖ right), lowest row SHA-256(0x00 ‖ digest);
4. the history in every `case.json` against the rows of those entries, and evidence against the
   SHA-256 that was recorded when it was handed in.

Not shown by this: that the leaves stand in the published log (compare the leaf hashes with it or
with a witness), and that what was written down is what happened.

Ends with status 0 if everything is right, 1 if something is not, 2 if there is nothing to verify.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, Iterator  # noqa: UP035 - it must run on old Pythons

MANIFEST, DRAW, POPULATION = "manifest.json", "draw.json", "population.txt"
PIECE = 1 << 20
HISTORY = ("action", "at", "by_system", "by_user", "data", "from", "note", "outcome", "to", "version")
DRAWN = ("conditions", "drawn", "population", "population_sha256", "rule", "seed", "size")
# What a damaged zip or JSON may bring up on its way.
UNREADABLE = (
    LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError, OSError, EOFError, MemoryError,
    struct.error, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
)  # fmt: skip
HAS_SM3 = "sm3" in hashlib.algorithms_available


class Papers:
    """The files of the zip or of the folder it was unpacked into."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.zip = None if place.is_dir() else zipfile.ZipFile(place)

    def names(self) -> list[str]:
        if self.zip is not None:
            return [name for name in self.zip.namelist() if not name.endswith("/")]
        files = (path for path in self.place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return [path.relative_to(self.place).as_posix() for path in files]

    def sha256(self, name: str) -> str:
        digest = hashlib.sha256()
        with self.zip.open(name) if self.zip is not None else (self.place / name).open("rb") as file:
            for piece in iter(lambda: file.read(PIECE), b""):
                digest.update(piece)
        return digest.hexdigest()

    def read(self, name: str) -> bytes:
        return self.zip.read(name) if self.zip is not None else (self.place / name).read_bytes()

    def load(self, name: str) -> Any:
        return json.loads(self.read(name).decode("utf-8"))


class Verdict:
    """What was found: problems by file, and how many of what were right."""

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []
        self.files = self.entries = self.rows = self.lines = self.evidence = 0
        self.closed: list[tuple[str, str]] = []
        self.leaf_hashes: list[str] = []

    def wrong(self, name: str, problem: str) -> None:
        self.problems.append((name, problem))


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def root_of(digest: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root that a row and its way lead to (RFC 9162 §2.1.3.2); None for a way of the wrong length."""
    if not 0 <= index < size:
        return None
    at, last, current = index, size - 1, hashlib.sha256(b"\x00" + digest).digest()
    for step in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            current = hashlib.sha256(b"\x01" + step + current).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            current = hashlib.sha256(b"\x01" + current + step).digest()
        at, last = at >> 1, last >> 1
    return current if last == 0 else None


def verify_files(papers: Papers, verdict: Verdict) -> None:
    listed = papers.load(MANIFEST)["files"]
    there = set(papers.names())
    for name in sorted(there - set(listed) - {MANIFEST}):
        verdict.wrong(name, "not in the manifest / 不在清单中")
    for name, digest in sorted(listed.items()):
        if name not in there:
            verdict.wrong(name, "missing / 缺失")
            continue
        try:
            right = papers.sha256(name) == digest
        except UNREADABLE as error:
            verdict.wrong(name, f"cannot be read / 无法读取: {error}")
            continue
        if right:
            verdict.files += 1
        else:
            verdict.wrong(name, "altered: its SHA-256 is not the manifest's / 被改动：与清单的摘要不符")


def verify_draw(papers: Papers, verdict: Verdict) -> None:
    said, population = papers.load(DRAW), papers.read(POPULATION)
    numbers = [int(line) for line in population.split()]
    if hashlib.sha256(population).hexdigest() != said["population_sha256"] or len(numbers) != said["population"]:
        verdict.wrong(POPULATION, "not the population that was recorded / 不是存证的总体")
    ranked = sorted(numbers, key=lambda n: hashlib.sha256(f"{said['seed']}:{n}".encode()).digest())
    if ranked[: said["size"]] != said["drawn"]:
        verdict.wrong(DRAW, "the seed draws other cases / 用此种子抽出的是别的核查件")
    there = {name.split("/")[1] for name in papers.names() if name.startswith("cases/")}
    left_out = set(map(str, said["left_out"]))
    if there != {str(number) for number in said["drawn"]} - left_out:
        verdict.wrong(DRAW, "cases are missing or not of the sample / 核查件缺失或不属于样本")
    entry = _opening(papers, said["event_id"])
    if entry is None:
        verdict.wrong(DRAW, "the entry of the draw is not open / 抽样的存证没有打开")
    elif any(entry["content"].get(name) != said[name] for name in DRAWN):
        verdict.wrong(DRAW, "differs from what was recorded / 与存证内容不符")


def _opening(papers: Papers, event_id: str) -> Any:
    name = f"entries/{event_id}.json"
    found = papers.load(name) if name in papers.names() else {}
    return found.get("payload")


def verify_entries(papers: Papers, verdict: Verdict) -> dict[str, Any]:
    """Every entry from its opening; returns those that are open, by event."""
    openings = {}
    for name in sorted(papers.names()):
        if not name.startswith("entries/"):
            continue
        try:
            said = papers.load(name)
            problems = list(_wrong_with(said, name))
        except UNREADABLE as error:
            verdict.wrong(name, f"cannot be read / 无法读取: {error!r}")
            continue
        for problem in problems:
            verdict.wrong(name, problem)
        if said["state"] != "open":
            verdict.closed.append((name, said["state"]))
        else:
            openings[said["event_id"]] = said
            if not problems:
                verdict.entries += 1
                verdict.rows += len(said["rows"])
        if said["entry"] is not None:
            verdict.leaf_hashes.append(hashlib.sha256(b"\x00" + said["entry"].encode("utf-8")).hexdigest())
    return openings


def _wrong_with(said: Any, name: str) -> Iterator[str]:
    if name != f"entries/{said['event_id']}.json":
        yield "belongs to another event / 属于另一条存证"
    if said["entry"] is None:
        yield "its leaf is gone / 存证条目不存在"
        return
    leaf = json.loads(said["entry"])
    if leaf["event_id"] != said["event_id"]:
        yield "its leaf is another event's / 存证条目属于另一条存证"
    if said["leaf_hash"] != hashlib.sha256(b"\x00" + said["entry"].encode("utf-8")).hexdigest():
        yield "its leaf hash does not match / 叶子摘要不符"
    if said["state"] != "open":
        return
    payload, salt = said["payload"], bytes.fromhex(said["salt"])
    salted = salt + canonical(payload)
    sm3 = hashlib.new("sm3", salted).hexdigest() if HAS_SM3 else leaf["sm3"]
    again = {
        "v": payload["v"],
        "event_id": payload["event_id"],
        "kind": leaf["kind"],
        "area": payload["area"][:6],
        "at": payload["at"],
        "commit": hashlib.sha256(salted).hexdigest(),
        "sm3": sm3,
    }
    if canonical(again) != said["entry"].encode("utf-8"):
        yield "the leaf recomputed from its opening does not match / 由凭证重算的叶子不符"
    details = payload.get("details") or {"count": 0, "root": ""}
    for row in said["rows"]:
        digest = hashlib.sha256(bytes.fromhex(row["salt"]) + canonical(row["payload"])).digest()
        root = root_of(digest, row["index"], details["count"], [bytes.fromhex(step) for step in row["proof"]])
        if root is None or root.hex() != details["root"]:
            yield f"row {row['index']} does not lead to the recorded root / 该行不通向存证的根"


def verify_cases(papers: Papers, openings: dict[str, Any], verdict: Verdict) -> None:
    handed_in = {
        (said["payload"]["subject"][1], said["payload"]["content"]["file"]): said["payload"]["content"]["sha256"]
        for said in openings.values()
        if said["payload"]["act"] == "files.store" and said["payload"]["subject"][0] == "case"
    }
    for name in sorted(papers.names()):
        if not (name.startswith("cases/") and name.endswith("/case.json")):
            continue
        try:
            case = papers.load(name)
            if name != f"cases/{case['case_no']}/case.json":
                verdict.wrong(name, "is another case's / 属于另一件")
            _verify_history(case, name, openings, verdict)
            for file in case["evidence"]:
                if file.get("path"):
                    recorded = handed_in.get((case["case_no"], file["file"]))
                    if recorded is None or papers.sha256(file["path"]) != recorded:
                        verdict.wrong(file["path"], "is not what was handed in / 与交入时不符")
                    else:
                        verdict.evidence += 1
        except UNREADABLE as error:
            verdict.wrong(name, f"cannot be read / 无法读取: {error!r}")


def _verify_history(case: Any, name: str, openings: dict[str, Any], verdict: Verdict) -> None:
    rows: dict[str, list[Any]] = {}
    for event_id, said in openings.items():
        rows[event_id] = [row["payload"] for row in said["rows"] if row["payload"].get("case_no") == case["case_no"]]
    told: dict[str, list[Any]] = {}
    for line in case["history"]:
        told.setdefault(line["event_id"], []).append({part: line[part] for part in HISTORY})
    for event_id, lines in told.items():
        if event_id not in openings:
            continue
        recorded = [{part: row[part] for part in HISTORY} for row in rows[event_id]]
        if sorted(map(canonical, lines)) == sorted(map(canonical, recorded)):
            verdict.lines += len(lines)
        else:
            verdict.wrong(name, f"its history differs from entry {event_id} / 经过与此存证不符")
    for event_id, recorded in rows.items():
        if recorded and event_id not in told:
            verdict.wrong(name, f"its history lacks entry {event_id} / 经过缺少此存证")


def report(verdict: Verdict) -> int:
    say = [
        f"files as listed / 与清单一致的文件: {verdict.files}",
        f"entries recomputed from their openings / 由凭证重算相符的存证: {verdict.entries}",
        f"rows that lead to their root / 通向存证之根的明细: {verdict.rows}",
        f"lines of histories as recorded / 与存证一致的经过: {verdict.lines}",
        f"evidence as handed in / 与交入时一致的证据: {verdict.evidence}",
    ]
    if verdict.closed:
        say.append(f"entries not opened here / 未在此打开的存证: {len(verdict.closed)}")
        say += [f"    {name}: {state}" for name, state in verdict.closed]
    if not HAS_SM3:
        say.append("SM3 was not recomputed: this Python has none / 本机 Python 没有 SM3，未重算")
    for name, problem in verdict.problems:
        say.append(f"NOT RIGHT / 不符  {name}: {problem}")
    say.append("SOMETHING IS NOT RIGHT / 发现不符" if verdict.problems else "ALL RIGHT / 全部相符")
    sys.stdout.write("\n".join(say) + "\n")
    return 1 if verdict.problems else 0


def main(arguments: list[str]) -> int:
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    place = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    verdict = Verdict()
    try:
        papers = Papers(place)
        papers.load(MANIFEST)
    except UNREADABLE as error:
        sys.stdout.write(f"NOT RIGHT / 不符  {place.name}: cannot be read / 无法读取: {error!r}\n")
        return 2
    verify_files(papers, verdict)
    openings = verify_entries(papers, verdict)
    try:
        verify_draw(papers, verdict)
    except UNREADABLE as error:
        verdict.wrong(DRAW, f"cannot be read / 无法读取: {error!r}")
    verify_cases(papers, openings, verdict)
    return report(verdict)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
