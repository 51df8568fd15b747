"""The `wanjia` command.

Commands that a program may read take `--json`: one JSON object, on the last line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from wanjia.demo.choices import Until
from wanjia.kernel.errors import Refusal
from wanjia.kernel.outages import outage

# Typer would print exceptions with their text and the values around them.
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="万家 Wanjia: every household."
)
year_app = typer.Typer(no_args_is_help=True, help="报告年度 · The reporting years of the registry.")
app.add_typer(year_app, name="year")
console = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")]
DAYS = ["%Y-%m-%d"]
Port = Annotated[int, typer.Option(help="Port on loopback.")]


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
    import django

    django.setup()
    from wanjia.telemetry import logs

    logs.catch_unhandled()  # Typer has just put its own in place, which prints an exception's text


def _installation() -> None:
    """Django on an installation whose keys are in order; refuses any other before anything happens."""
    _django()
    from wanjia.scope.keys import require_installation

    require_installation()


def _counted() -> None:
    """What lasting processes do first: count where all of them count."""
    from wanjia.config import env
    from wanjia.telemetry import sharing

    home = env.read().home
    if home.is_dir():  # else there is no installation, and the next step says so
        sharing.share(home)


def _answer(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
    else:
        for name, value in values.items():
            console.print(f"{name:>14}  {value}")


@app.command()
def setup() -> None:
    """建密钥、建表、装入代码表与行政区划 · Keys, tables, code lists, divisions."""
    from wanjia.config import env

    env.become_owner()
    _django()
    from wanjia.config.install import prepare
    from wanjia.scope.keys import require_finished_home

    require_finished_home()
    prepare(console.print)


@app.command()
def serve(host: str = "127.0.0.1", port: Port = 8000, threads: int = 8) -> None:
    """启动网站 · Start the site."""
    _counted()
    _django()
    from wanjia.config.lock import only_one
    from wanjia.config.server import require_sound_routes
    from wanjia.config.server import serve as run
    from wanjia.scope.keys import require_installation

    require_sound_routes()
    require_installation()
    with only_one("serve"):
        run(host, port, threads=threads)


@app.command()
def worker() -> None:
    """启动后台任务 · Run background work until interrupted."""
    _counted()
    _installation()
    from wanjia.config.lock import only_one
    from wanjia.config.server import start_clock
    from wanjia.jobs.worker import Worker

    start_clock()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with only_one("worker"):
        Worker().run(stop)


@app.command()
def demo(  # noqa: PLR0913 - each is an option of the command
    seed: Annotated[int, typer.Option(help="The same seed gives the same county and the same digest.")] = 1,
    people: Annotated[int, typer.Option(help="Registered people, about.")] = 20_000,
    records: Annotated[int, typer.Option(help="Rows of the vehicle register, about; the others follow.")] = 60_000,
    county: Annotated[str, typer.Option(help="Six-digit code of a county in Guangxi.")] = "451228",
    home: Annotated[Path | None, typer.Option(help="Where the demo keeps its data.")] = None,
    until: Annotated[
        Until, typer.Option(help="How far: founded (the file waits in the inbox) or worked (four weeks of field work).")
    ] = Until.WORKED,
    port: Port = 8000,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Start the site afterwards.")] = True,
    as_json: Json = False,
) -> None:
    """合成县演示 · A synthetic county, the whole line from end to end, then the site."""
    os.environ["WANJIA_HOME"] = str((home or Path(os.environ.get("WANJIA_HOME", "var")) / "demo").absolute())
    from wanjia.config import env

    with env.owning():  # it sets up too
        _django()
    from wanjia.demo.build import DemoRequest, build
    from wanjia.demo.serve import run_site

    built = build(DemoRequest(seed, people, records, county, until), console)
    _answer(built.result.as_dict(), as_json=as_json)
    if serve:
        run_site(console, port, built.logins)


@app.command()
def intake(  # noqa: PLR0913 - each is an option of the command
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The department's file, .xlsx or CSV.")],
    dataset: Annotated[str | None, typer.Option(help="Dataset, if it cannot be told from the header.")] = None,
    area: Annotated[str | None, typer.Option(help="Division code the delivery covers; else the contract's.")] = None,
    mode: Annotated[str | None, typer.Option(help="full, delta or period; else the contract's.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=DAYS, help="First day of the period.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAYS, help="Last day of the period.")] = None,
    as_of: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="What day it speaks of, if no title says.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="HEADER=field for a column of an unknown header (HEADER= leaves it out); repeated."),
    ] = None,
    as_proposed: Annotated[bool, typer.Option(help="Take the other columns of an unknown header as proposed.")] = False,
    let_go_on: Annotated[str | None, typer.Option(help="Reason for which a held delivery goes on.")] = None,
    accept: Annotated[bool, typer.Option(help="Accept the good rows at once.")] = False,
    as_json: Json = False,
) -> None:
    """接收一份部门数据 · Take in a department's file."""
    _installation()
    from wanjia.config.server import start_clock
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer
    from wanjia.sources import services
    from wanjia.sources.choices import BatchStatus, DeliveryMode
    from wanjia.sources.rules import sentence_of

    start_clock()
    if mode is not None and mode not in DeliveryMode.values:
        raise typer.BadParameter(f"{mode} is none of {', '.join(DeliveryMode.values)}", param_hint="--mode")
    days = [day.date() if day else None for day in (since, until, as_of)]
    terms = services.Terms(DeliveryMode(mode) if mode else None, (days[0], days[1]), days[2])
    viewer = system_viewer("cli.intake")
    with serving(viewer):
        batch = services.receive(viewer=viewer, path=file, dataset=dataset, area=area, terms=terms)
        if batch.status == BatchStatus.MAPPING and (columns or as_proposed):
            batch = services.map_columns(
                viewer=viewer, batch_id=batch.pk, columns=_fields_of(batch.proposal, columns or [])
            )
            batch = services.inspect(viewer=viewer, batch_id=batch.pk)
        if batch.status == BatchStatus.HELD and let_go_on is not None:
            batch = services.let_go_on(viewer=viewer, batch_id=batch.pk, reason=let_go_on)
        if accept and batch.status != BatchStatus.MAPPING:
            batch = services.accept(viewer=viewer, batch_id=batch.pk)
    counts = ("lines", "accepted", "warned", "rejected", "non_data")
    facts = {"batch": batch.pk, "dataset": batch.dataset, "status": str(batch.status)}
    facts |= {name: getattr(batch, name) for name in counts}
    if batch.status == BatchStatus.MAPPING:
        told = batch.proposal["columns"]
        facts["columns"] = [{name: column[name] for name in ("header", "field", "likeness")} for column in told]
    if batch.holds:
        facts["held"] = [sentence_of(hold, _language()) for hold in batch.holds]
    _answer(facts, as_json=as_json)


def _fields_of(proposal: dict[str, Any], said: list[str]) -> list[str]:
    """The field of each column: as said on the command line, else as proposed."""
    told = dict(each.rpartition("=")[::2] for each in said)
    headers = [column["header"] for column in proposal["columns"]]
    if unknown := told.keys() - set(headers):
        raise typer.BadParameter(f"no column {', '.join(sorted(unknown))}", param_hint="--map")
    return [told.get(column["header"], column["field"]) for column in proposal["columns"]]


registry = typer.Typer(no_args_is_help=True, help="户年度表和成员表 · The national sheets.")
app.add_typer(registry, name="registry")


@registry.command("import")
def import_sheets(  # noqa: PLR0913 - each is an option of the command
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="One national sheet or both, .xlsx or CSV.")
    ],
    year: Annotated[int | None, typer.Option(help="Reporting year, if the sheets do not say.")] = None,
    mode: Annotated[str, typer.Option("--as", help="new (first registration) or correction.")] = "new",
    area: Annotated[str, typer.Option(help="Division code the sheets may speak of.")] = "45",
    category: Annotated[str, typer.Option(help="Code of 贫困户属性 for sheets without that column.")] = "",
    status: Annotated[str, typer.Option(help="Code of 脱贫标志 for sheets without that column.")] = "",
    identified: Annotated[int | None, typer.Option(help="识别年度 for sheets without that column.")] = None,
    apply: Annotated[bool, typer.Option(help="Take the good rows in at once; else only show the preview.")] = False,
    as_json: Json = False,
) -> None:
    """导入户年度表和成员表 · Take the national sheets in."""
    _installation()
    from rich.progress import Progress

    from wanjia.config.server import start_clock
    from wanjia.registry import queries
    from wanjia.registry.choices import ImportMode, ImportStatus
    from wanjia.registry.services.sheets import importing
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    start_clock()
    if mode not in ImportMode:
        raise typer.BadParameter(f"{mode} is none of {', '.join(ImportMode.values)}", param_hint="--as")
    terms = importing.Terms(year, category, status, identified)
    viewer = system_viewer("cli.registry")
    with serving(viewer), Progress(console=console, transient=True) as shown:
        shown.add_task("读取 · reading", total=None)
        row = importing.bring(viewer=viewer, brought=files, area=area, mode=ImportMode(mode), terms=terms)
        row = importing.read_sheets(viewer=viewer, import_id=row.pk)
        if apply and row.status == ImportStatus.PREVIEWED:
            row = importing.apply_sheets(viewer=viewer, import_id=row.pk)
        counts = ("lines", "accepted", "known", "rejected", "non_data")
        told = {file.sheet: {n: getattr(file, n) for n in counts} for file in queries.files_of(viewer, row)}
    facts: dict[str, Any] = {"import": row.pk, "status": str(row.status), "year": row.year, "sheets": told}
    if row.refusal:
        facts["refused"] = row.refusal["what"][_language()]
    for kind in ("new", "changes"):
        if kind in row.preview:
            facts[kind] = row.preview[kind]
    _answer(facts, as_json=as_json)


@registry.command("export")
def export_sheet(  # noqa: PLR0913 - each is an option of the command
    out: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write.")],
    area: Annotated[str, typer.Option(help="Division code.")],
    year: Annotated[int, typer.Option(help="Reporting year.")],
    sheet: Annotated[str, typer.Option(help="households or members.")] = "households",
    form: Annotated[str, typer.Option(help="csv or xlsx.")] = "csv",
    encoding: Annotated[str, typer.Option(help="Of a CSV: utf-8 or gb18030.")] = "utf-8",
    codes: Annotated[bool, typer.Option(help="Codes instead of their names.")] = False,
    as_of: Annotated[str, typer.Option(help="Of a sealed year: published or known.")] = "known",
    as_json: Json = False,
) -> None:
    """导出户年度表或成员表，号码打掩码 · Write a national sheet, numbers masked."""
    _installation()
    from rich.progress import Progress

    from wanjia.config.server import start_clock
    from wanjia.registry.choices import AsOf, SheetKind
    from wanjia.registry.services.sheets.exporting import export_sheet as export
    from wanjia.registry.services.sheets.pieces import Wanted
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer
    from wanjia.ui.sheets import Encoding, Format

    start_clock()
    for value, known, name in (
        (sheet, SheetKind, "--sheet"),
        (form, Format, "--form"),
        (encoding, Encoding, "--encoding"),
        (as_of, AsOf, "--as-of"),
    ):
        offered = [str(each.value) for each in known]
        if value not in offered:
            raise typer.BadParameter(f"{value} is none of {', '.join(offered)}", param_hint=name)
    viewer = system_viewer("cli.registry")
    with serving(viewer), Progress(console=console, transient=True) as shown:
        shown.add_task("导出 · exporting", total=None)
        rows, pieces = export(
            viewer=viewer,
            wanted=Wanted(SheetKind(sheet), year, area, codes=codes, as_of=AsOf(as_of)),
            account=viewer.name,
            form=Format(form),
            encoding=Encoding(encoding),
        )
        with out.open("wb") as stream:
            stream.writelines(pieces)
    _answer({"rows": rows, "file": str(out)}, as_json=as_json)


@app.command()
def compare(as_json: Json = False) -> None:
    """比对 · Resolve what is accepted and run the rules."""
    _installation()
    from wanjia.comparison.services import compare_now
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    viewer = system_viewer("cli.compare")
    with serving(viewer):
        run = compare_now(viewer=viewer)
    _answer(
        {"run": run.pk, "status": str(run.status), "findings": run.finding_count, "digest": run.digest}, as_json=as_json
    )


@year_app.command("list")
def year_list(as_json: Json = False) -> None:
    """列出报告年度 · The reporting years and what became of them."""
    _installation()
    from wanjia.registry import queries

    years = [
        {"year": year.year, "state": str(year.state), "households": year.households, "persons": year.persons}
        | {"digest": year.digest}
        for year in queries.reporting_years()
    ]
    if as_json:
        sys.stdout.write(json.dumps({"years": years}) + "\n")
        return
    for year in years:
        console.print("  ".join("–" if value in (None, "") else str(value) for value in year.values()), soft_wrap=True)


@year_app.command("check")
def year_check(year: int, as_json: Json = False) -> None:
    """封存前检查 · What stands against sealing a year."""
    _installation()
    from wanjia.config.server import start_clock
    from wanjia.registry.services import checks_of
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    start_clock()  # that the year is not over is one of the warnings
    viewer = system_viewer("cli.year")
    with serving(viewer):
        found = checks_of(viewer, year)
    if as_json:
        told = [{"code": one.code, "stops": one.stops, "count": one.count} for one in found]
        sys.stdout.write(json.dumps({"year": year, "found": told}) + "\n")
        return
    for one in found:
        console.print(f"{'✗' if one.stops else '!'} {one.code}={one.count}  {one.what.text(_language())}")


@year_app.command("seal")
def year_seal(
    year: int,
    confirm: Annotated[
        list[str] | None, typer.Option(help="CODE=COUNT for a warning of `wanjia year check`; repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """封存年度 · Seal the oldest unsealed reporting year; the registry goes on to the next."""
    _installation()
    from wanjia.config.server import start_clock
    from wanjia.registry.services import seal_year
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    start_clock()
    confirmed = {}
    for said in confirm or []:
        code, _, count = said.partition("=")
        if not (count.isascii() and count.isdigit()):
            raise typer.BadParameter(f"{said} is not CODE=COUNT", param_hint="--confirm")
        confirmed[code] = int(count)
    viewer = system_viewer("cli.year")
    with serving(viewer):
        done = seal_year(viewer=viewer, year=year, confirmed=confirmed)
    _answer(
        {
            "year": done.year,
            "next": done.next_year,
            "digest": done.digest,
            "event_id": str(done.event_id),
            **done.counts,
        },
        as_json=as_json,
    )


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="TARGET_FOLDER", help="A new folder outside WANJIA_HOME.")],
    keys: Annotated[
        Path | None,
        typer.Option(help="Copy the keys too, into this folder on another medium. Default: leave them out."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="An earlier backup on the same disk; what it holds already is linked to it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """备份 · Save everything but the keys, while site and worker go on running."""
    _installation()
    from dataclasses import asdict

    from wanjia.backup.make import back_up
    from wanjia.backup.progress import shown

    with shown(console) as meter:
        done = back_up(target, meter=meter, keys=keys, base=base)
    if keys is None:
        console.print("密钥不在备份中，请另行保管 · The keys are not in the backup; keep a copy elsewhere (--keys).")
    if done.absent:
        console.print(f"[bold red]磁盘上缺少 {done.absent} 个附件 · {done.absent} contents are not on the disk.[/]")
    _answer(asdict(done), as_json=as_json)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="A backup's folder.")],
    keys: Annotated[
        Path | None, typer.Option(help="The folder with the installation's keys. Default: WANJIA_HOME/keys.")
    ] = None,
    as_json: Json = False,
) -> None:
    """恢复 · Verify a backup and make it the installation; needs an empty WANJIA_HOME and an empty database."""
    _django()
    from dataclasses import asdict

    from wanjia.backup.progress import shown
    from wanjia.backup.restore import restore as run

    with shown(console) as meter:
        done = run(backup, meter=meter, keys=keys)
    _answer(asdict(done), as_json=as_json)


@app.command()
def doctor(as_json: Json = False) -> None:
    """检查安装，说明哪里坏了、怎么修 · Look the installation over: what is broken, and the cure."""
    marks = {"ok": "[green]✓[/]", "info": "[dim]·[/]", "warn": "[yellow]![/]", "fail": "[bold red]✗[/]"}
    language, told = _language(), []
    for answer in _examined():
        told.append(answer)
        if not as_json:
            line = Text.from_markup(f"{marks[answer['state']]} ").append(answer["what"][language])
            console.print(line.append(f"  {answer['check']}", style="dim"), soft_wrap=True)
            if "cure" in answer:
                console.print(Text(f"    → {answer['cure'][language]}"), soft_wrap=True)
    counts = {state: sum(answer["state"] == state for answer in told) for state in marks}
    if as_json:
        sys.stdout.write(json.dumps({"counts": counts, "answers": told}, ensure_ascii=False) + "\n")
    else:
        console.print("  ".join(f"{marks[state]} {count}" for state, count in counts.items()))
    if counts["fail"]:
        raise typer.Exit(1)


def _examined() -> Iterator[dict[str, Any]]:
    """What the doctor finds; settings that refuse to load are the first thing found, and the last."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        _django()
    except (ImproperlyConfigured, ValueError) as error:
        said = dict.fromkeys(("zh", "en"), str(error))
        cure = {
            "zh": "请核对环境变量（docs/how-to/production.md）。",
            "en": "Check the environment (docs/how-to/production.md).",
        }
        yield {"check": "settings.load", "state": "fail", "what": said, "cure": cure}
        return
    from wanjia.config.doctor import examine
    from wanjia.config.server import start_clock

    start_clock()
    for answer in examine():
        yield answer.as_dict()


def _language() -> str:
    return "en" if os.environ.get("LANG", "zh").startswith("en") else "zh"


def main() -> None:
    """Run the command; a refusal is told in two sentences, a fault as the places it happened in."""
    from wanjia.telemetry import logs

    logs.catch_unhandled()  # Python would print the fault's text, and that often quotes the row it failed on
    try:
        app()
    except Exception as fault:  # noqa: BLE001 - the last resort
        refusal = fault if isinstance(fault, Refusal) else outage(fault)
        if refusal is None:
            logs.log.critical("the command ends", exc_info=True)
            sys.exit(1)
        happened, cure = refusal.sentences(_language())
        console.print(f"[bold red]{happened}[/]\n{cure}\n[dim]{refusal.code}[/]")
        sys.exit(2)


if __name__ == "__main__":
    main()
