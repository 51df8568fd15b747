"""The zip of a sample: what is in it, and that the program in it finds whatever was altered."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.comparison.conftest import NEXT_COUNTY
from tests.factories import accounts as factory
from tests.inspection.conftest import OURS, photograph
from wanjia.audit.access import access_store
from wanjia.audit.models import Opening
from wanjia.audit.queries import found
from wanjia.audit.testing import unrecorded
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseSubject
from wanjia.inspection import queries
from wanjia.inspection.bundle import verify
from wanjia.inspection.services import bundle, draw
from wanjia.kernel import clock
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.system import system_viewer
from wanjia.ui.sheets import PIECE

SEED = "双色球 03 08 19 24 26 32"


def sample_of(viewer, area="451228", size=OURS):
    everything = CaseFilter(state="all")
    now = queries.population(viewer, area, everything)
    return draw(viewer=viewer, area=area, case_filter=everything, seen=(now.count, now.digest), seed=SEED, size=size)


@pytest.fixture
def sample(worked, auditor):
    return sample_of(auditor)


def zipped(viewer, sample, *, with_evidence=False, language="zh-hans"):
    pieces = bundle(viewer=viewer, sample=sample, account="auditor", language=language, with_evidence=with_evidence)
    return b"".join(pieces)


@pytest.fixture
def papers(sample, auditor):
    return zipped(auditor, sample, with_evidence=True)


def opened(content):
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return out.getvalue()


def listed_anew(files):
    """The files with a manifest that fits them: whoever alters one can write that too."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "manifest.json"}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def run(content, folder):
    """Unpack what the auditor received and run its own program as he does, away from ours."""
    folder.mkdir(exist_ok=True)
    (folder / "sample.zip").write_bytes(content)
    program = folder / "verify.py"
    with zipfile.ZipFile(io.BytesIO(content)) as unpacked:
        program.write_bytes(unpacked.read("verify.py"))
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(folder / "sample.zip")],
        capture_output=True, encoding="utf-8", env={"PYTHONIOENCODING": "utf-8"}, cwd=folder, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def test_the_program_in_the_zip_says_that_all_is_right(papers, tmp_path):
    code, said = run(papers, tmp_path / "zip")

    assert code == 0, said
    assert "ALL RIGHT / 全部相符" in said

    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(io.BytesIO(papers)) as packed_papers:
        packed_papers.extractall(folder)
    done = subprocess.run([sys.executable, "verify.py"], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, said)


def test_every_readable_entry_is_opened_and_every_line_of_history_is_proven(papers, worked, tmp_path):
    files = opened(papers)
    entries = [json.loads(content) for name, content in files.items() if name.startswith("entries/")]
    acts = {entry["payload"]["act"]: entry for entry in entries if entry["state"] == "open"}
    withheld = [entry for entry in entries if entry["state"] == "withheld"]
    case = json.loads(files[f"cases/{worked}/case.json"])

    # the bulk act of his county is open, with his rows; those of the province and the city are not
    assert {"suspect.distribute", "suspect.verify", "suspect.decide", "files.store"} <= set(acts)
    assert len(acts["suspect.distribute"]["rows"]) == OURS
    assert acts["inspection.draw"]["payload"]["content"]["seed"] == SEED
    corrected = [entry for entry in acts.values() if entry["payload"]["content"].get("fields") == ["identified_year"]]
    assert [row["payload"]["new"] for entry in corrected for row in entry["rows"]] == ["2014"]
    assert len(withheld) == 2
    assert all(entry["payload"] is None and entry["salt"] == "" and entry["entry"] for entry in withheld)
    assert [line["action"] for line in case["history"]] == [
        "open", "pass_on", "distribute", "assign", "verify", "correct", "review", "decide",
    ]  # fmt: skip
    assert set(case["entries"]) <= {entry["event_id"] for entry in entries}

    _, said = run(papers, tmp_path / "zip")
    assert f"lines of histories as recorded / 与存证一致的经过: {OURS + 5}" in said
    assert "entries not opened here / 未在此打开的存证: 2" in said
    assert "evidence as handed in / 与交入时一致的证据: 1" in said


def test_above_everything_is_open(worked, accounts, tmp_path):
    above = factory.viewer(accounts["above"])
    content = zipped(above, sample_of(above, "4512", 5))
    files = opened(content)

    states = {json.loads(text)["state"] for name, text in files.items() if name.startswith("entries/")}
    assert "open" in states
    (passed,) = [
        entry
        for name, text in files.items()
        if name.startswith("entries/")
        and ((entry := json.loads(text))["payload"] or {}).get("act") == "suspect.pass_on"
    ]
    assert len(passed["rows"]) == 5, "of fifteen only the sample's rows"
    assert passed["payload"]["details"]["count"] == 15
    assert run(content, tmp_path / "zip")[0] == 0


def test_a_byte_changed_in_the_zip_is_found(papers, tmp_path):
    with zipfile.ZipFile(io.BytesIO(papers)) as packed_papers:
        info = next(item for item in packed_papers.infolist() if item.filename.endswith("case.json"))
    at = info.header_offset + 30 + len(info.filename.encode()) + info.compress_size // 2
    damaged = papers[:at] + bytes([papers[at] ^ 1]) + papers[at + 1 :]

    code, said = run(damaged, tmp_path / "zip")

    assert code == 1
    assert info.filename in said
    assert "SOMETHING IS NOT RIGHT / 发现不符" in said


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_wherever_a_byte_is_changed_it_is_found_or_says_nothing(papers, tmp_path, capsys, random: Random):
    at = random.randrange(len(papers))
    damaged = papers[:at] + bytes([papers[at] ^ (1 << random.randrange(8))]) + papers[at + 1 :]
    place = tmp_path / "damaged.zip"
    place.write_bytes(damaged)

    if verify.main([str(place)]) == 0:
        assert opened(damaged) == opened(papers), "a time or an attribute of a file, nothing it says"
    capsys.readouterr()


ALTERATIONS = {
    "content of an act": ("suspect.verify", lambda entry: entry["payload"]["content"].update(outcome="06")),
    "who acted": ("suspect.decide", lambda entry: entry["payload"]["actor"].update(user=1)),
    "when": ("suspect.review", lambda entry: entry["payload"].update(at="2020-11-01T01:00:00.000000Z")),
    "salt": ("suspect.assign", lambda entry: entry.update(salt="00" * 16)),
    "a row of a bulk act": ("suspect.distribute", lambda entry: entry["rows"][3]["payload"].update(note="x")),
    "a row's salt": ("suspect.distribute", lambda entry: entry["rows"][3].update(salt="00" * 16)),
    "a row's place": ("suspect.distribute", lambda entry: entry["rows"][3].update(index=0)),
    "the way to the root": ("suspect.distribute", lambda entry: entry["rows"][0]["proof"].pop()),
    "a row taken away": ("suspect.distribute", lambda entry: entry["rows"].pop()),
    "the leaf": ("suspect.verify", lambda entry: entry.update(entry=entry["entry"].replace("decision", "dispatch"))),
    "the leaf taken away": ("suspect.verify", lambda entry: entry.update(entry=None, leaf_hash=None)),
    "the root": ("suspect.distribute", lambda entry: entry["payload"]["details"].update(root="00" * 32)),
    "the seed": ("inspection.draw", lambda entry: entry["payload"]["content"].update(seed="another")),
    "evidence's digest": ("files.store", lambda entry: entry["payload"]["content"].update(sha256="00" * 32)),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_an_altered_entry_is_named_even_under_a_manifest_made_anew(papers, tmp_path, what):
    act, alter = ALTERATIONS[what]
    files = opened(papers)
    name = next(
        name
        for name, text in files.items()
        if name.startswith("entries/") and (json.loads(text)["payload"] or {}).get("act") == act
    )
    entry = json.loads(files[name])
    alter(entry)
    files[name] = json.dumps(entry, ensure_ascii=False).encode()

    code, said = run(packed(listed_anew(files)), tmp_path / "zip")

    assert code == 1, said
    assert name in said or "case.json" in said
    other = [
        line for line in said.splitlines() if line.startswith("NOT RIGHT") and "entries/" in line and name not in line
    ]
    assert other == [], "only this one"


def altered_case(files, worked, alter):
    name = f"cases/{worked}/case.json"
    case = json.loads(files[name])
    alter(case)
    return {**files, name: json.dumps(case, ensure_ascii=False).encode()}


@pytest.mark.parametrize(
    "alter",
    [
        lambda case: case["history"][4].update(note="没有车"),
        lambda case: case["history"][4].update(by_user=1),
        lambda case: case["history"].pop(),
        lambda case: case["history"].append(case["history"][-1]),
        lambda case: case.update(case_no=case["case_no"] + 1),
    ],
)
def test_an_altered_history_is_found(papers, worked, tmp_path, alter):
    code, said = run(packed(listed_anew(altered_case(opened(papers), worked, alter))), tmp_path / "zip")

    assert code == 1
    assert f"cases/{worked}/case.json" in said


def test_altered_evidence_another_population_and_other_cases_are_found(papers, worked, tmp_path):
    files = opened(papers)
    photo = next(name for name in files if "/evidence/" in name)
    left_out = {name: text for name, text in files.items() if not name.startswith(f"cases/{worked}/")}
    for number, (altered, named) in enumerate([
        ({**files, photo: files[photo] + b"x"}, photo),
        ({**files, "population.txt": files["population.txt"] + b"99999\n"}, "population.txt"),
        (left_out, "draw.json"),
        ({**files, "cases/99999/case.json": files[f"cases/{worked}/case.json"]}, "draw.json"),
    ]):  # fmt: skip
        code, said = run(packed(listed_anew(altered)), tmp_path / f"zip{number}")
        assert code == 1
        assert f"不符  {named}" in said
    for number, (altered, named) in enumerate([
        ({**files, "more.txt": b""}, "more.txt"), ({n: c for n, c in files.items() if n != "README.txt"}, "README.txt"),
    ]):  # fmt: skip
        code, said = run(packed(altered), tmp_path / f"list{number}")
        assert code == 1
        assert f"不符  {named}" in said


def test_something_else_is_no_sample(tmp_path, capsys):
    other = tmp_path / "other.zip"
    for content in (b"", b"PK", packed({"a.txt": b"a"}), packed({"manifest.json": b"{"})):
        other.write_bytes(content)
        assert verify.main([str(other)]) == 2
    assert verify.main([str(tmp_path / "nowhere.zip")]) == 2
    assert "NOT RIGHT" in capsys.readouterr().out


def test_without_being_asked_for_the_evidence_itself_stays_here_and_that_is_said(sample, auditor, worked, tmp_path):
    files = opened(zipped(auditor, sample))
    case = json.loads(files[f"cases/{worked}/case.json"])

    assert not [name for name in files if "/evidence/" in name]
    assert len(case["evidence_digests"]) == 1
    assert case["evidence_digests"] == [case["evidence"][0]["keyed_digest"]]
    assert "未随附，只列摘要" in case["evidence_said"]
    assert "证明材料没有随附" in files["README.txt"].decode()


def test_names_are_masked_as_on_the_page(papers, worked, browser):
    page = browser().get(f"/cases/{worked}/").content.decode()
    case = json.loads(opened(papers)[f"cases/{worked}/case.json"])

    assert case["finding"]["question"] in page
    assert all(fact["theirs"] in page for fact in case["finding"]["facts"] if fact["theirs"])


def test_it_is_in_the_readers_language(sample, auditor, worked):
    files = opened(zipped(auditor, sample, language="en"))

    assert "How to verify" in files["README.txt"].decode()
    assert "What happened so far" in files[f"cases/{worked}/case.html"].decode()
    assert files["cases.csv"].decode("utf-8-sig").startswith("Case number,")


def test_who_took_it_and_whose_data_he_read_is_recorded_before_the_first_byte(sample, auditor):
    pieces = bundle(viewer=auditor, sample=sample, account="auditor", language="zh-hans", with_evidence=True)

    (entry,) = found(auditor, {"kind": "export"})
    assert entry.content == {"cases": OURS, "evidence": 1, "format": "zip"}
    read = list(access_store().readings([("451228", "451229")], actor_id=auditor.user_id, subject_kind="case"))
    assert sorted(row["subject_id"] for row in read) == sorted(sample.numbers)
    assert {row["fields"] for row in read} == {"evidence,history,name"}
    assert len(list(access_store().readings([("451228", "451229")], subject_kind="file"))) == 1
    pieces.close()


def test_what_is_filed_while_it_is_under_way_stays_here(sample, auditor, worked, office):
    """The reading of each file is recorded before the first byte: what came later was not, and is only listed."""
    pieces = bundle(viewer=auditor, sample=sample, account="auditor", language="zh-hans", with_evidence=True)
    read = {row["subject_id"] for row in access_store().readings([("451228", "451229")], subject_kind="file")}
    photograph(office["verifier"], worked)
    files = opened(b"".join(pieces))
    evidence = json.loads(files[f"cases/{worked}/case.json"])["evidence"]

    assert len(evidence) == 2
    assert {item["file"] for item in evidence if item["path"]} == read
    assert len([name for name in files if "/evidence/" in name]) == 1


def test_it_leaves_in_pieces_and_the_cases_are_read_one_after_another(sample, auditor, django_assert_max_num_queries):
    pieces = bundle(viewer=auditor, sample=sample, account="auditor", language="zh-hans")
    with django_assert_max_num_queries(2):
        first = next(pieces)  # what the zip is, before any case is read

    assert first.startswith(b"PK")
    assert all(len(piece) < 2 * PIECE for piece in pieces)


def test_a_case_that_left_his_reach_is_left_out_and_said(sample, auditor, tmp_path):
    gone = sample.numbers[0]
    with unrecorded():
        Case.objects.for_writing().filter(pk=gone).update(area_code=NEXT_COUNTY)
        CaseSubject._base_manager.filter(case=gone).update(area_code=NEXT_COUNTY)
    content = zipped(auditor, sample)

    assert json.loads(opened(content)["draw.json"])["left_out"] == [gone]
    assert run(content, tmp_path / "zip")[0] == 0


def test_an_erased_entry_leaves_its_leaf_and_is_no_problem(sample, auditor, worked, tmp_path):
    entries = Opening.objects.visible_to(system_viewer("audit.trail"))
    entry = entries.get(act="suspect.verify", subject_id=worked)
    with as_owner(), unrecorded():
        entries.filter(pk=entry.pk).update(salt=None, payload=None, erased_at=clock.now())
    content = zipped(auditor, sample)

    said = json.loads(opened(content)[f"entries/{entry.event_id}.json"])
    assert (said["state"], said["payload"], said["salt"]) == ("erased", None, "")
    assert str(entry.event_id) in said["entry"]
    code, told = run(content, tmp_path / "zip")
    assert code == 0
    assert f"entries/{entry.event_id}.json: erased" in told


def test_another_auditors_papers_are_not_found(sample, browser):
    for other in ("colleague", "above", "neighbour"):
        assert browser(other).get(f"/inspection/samples/{sample.pk}/papers.zip").status_code == 404


def test_the_page_hands_it_out(sample, browser, tmp_path):
    answer = browser().get(f"/inspection/samples/{sample.pk}/papers.zip?evidence=1")

    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == f'attachment; filename="sample-{sample.pk}.zip"'
    assert run(b"".join(answer.streaming_content), tmp_path / "zip")[0] == 0
