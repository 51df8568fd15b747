"""Background work that reads across areas does so under a name, and the names are few.

Every use of `system_viewer` is listed here with its reason; a test compares this table with
the calls in the source.
"""

from __future__ import annotations

from wanjia.scope.viewer import Viewer

SYSTEM_VIEWERS: dict[str, str] = {
    "accounts.administer": "looks for logins, standing grants and duties in all areas before anything is given",
    "accounts.holders": "offers the people who may take a task on in an area its caller acts for",
    "accounts.names": "a colleague's name on an act is shown to whoever may see the act",
    "accounts.own": "everybody may see what he himself holds, who stands in for him and who of his office could",
    "accounts.sign_in": "finds the account and its grants before there is a viewer",
    "audit.commit_access": "commits each minute's access rows, whoever made them",
    "audit.erase": "forgets the content of acts its caller may have erased; nothing is read out",
    "audit.health": "finds the time of the last act, whoever made it; only the time leaves",
    "audit.details": "recomputes the root over the rows of an act, whoever asks; only the verdict leaves",
    "audit.record": "finds an earlier entry of the same event or subject, whoever made it",
    "audit.trail": "reads the whole history of a subject whose owner lets the reader open it",
    "audit.verify": "recomputes one entry; only the verdict leaves",
    "backup.restore": "compares which access leaves are in the log with what their store says",
    "casework.aside": "writes an answer of somebody outside into a case's history once its owner has asked who may",
    "casework.candidates": "counts what each possible verifier has open, wherever it lies",
    "casework.counters": "moves the figures of every desk a case leaves or reaches; nothing is read out",
    "casework.escalate": "looks at every desk for steps past their deadline",
    "casework.evidence": "names the files an act relied on in its history",
    "casework.measures": "adds up the counters of open cases by kind, step and city for the operator",
    "casework.history": "what happened to a case is shown to whoever was allowed to fetch the case",
    "casework.open_about": "an open case about somebody stands in the way of forgetting him; only how many leaves",
    "casework.opened": "an open case with the same key in any area stands in the way; only its number leaves",
    "cli.compare": "the operator at the machine's own console runs the comparison",
    "cli.year": "the operator at the machine's own console seals a reporting year",
    "cli.intake": "the operator at the machine's own console takes in a file",
    "cli.registry": "the operator at the machine's own console takes the national sheets in and writes them out",
    "comparison.case": "shows the record behind a case to whoever was allowed to fetch the case",
    "comparison.feedback": "keeps a department's feedback in step with its case, whoever decided about the case",
    "comparison.guards": "finds out who entered a household, belongs to it, is its contact or stands in a book with it",
    "comparison.inputs": "pins which batches are current in the region; only their ids leave, and which were withdrawn",
    "comparison.raise": "looks at every department's feedback for deadlines that have passed",
    "comparison.screen": "an open case in any area stands in the way of a second one",
    "config.prepare": "fills an installation with its code lists, divisions and roles",
    "demo.build": "founds an invented county in an installation of its own",
    "divisions.load": "loads a province's divisions from the installation's own file",
    "files.sweep": "removes contents no file refers to; only their keyed digests are compared",
    "inspection.entries": "finds which entries are about a case its reader fetched; which of them open is asked again",
    "inspection.measures": "counts the reading alerts nobody has answered for the operator",
    "inspection.watch_readings": "finds whoever read of unusually many people, wherever they are",
    "jobs.schedule": "puts what is due into the queue; the task itself says what it reads",
    "reference.load": "loads the code lists and parameters that came with the program",
    "registry.photos": "shows a household's photos to whoever fetched the household",
    "registry.requests": "compares a change request, which the caller holds, with the values that stand now",
    "registry.retention": "ends the senders' files of finished imports when their days are over; nothing leaves",
    "registry.rights": "tells a person what is held about him, once who asks may see his record in full",
    "registry.earlier": "recognises a sheet that came before, whoever brought it; tells its number and day only",
    "registry.erase": "finds everything held of somebody whose erasure two people have decided, wherever he lived",
    "registry.guards": "answers whether somebody is a relative, poor, or entered the data; only the answer leaves",
    "registry.load": "a household registered in another area must not be loaded a second time",
    "registry.names": "compares the dictionary of names with what people are called; nothing leaves",
    "registry.numbers": "a number that is somebody's in any area is not given to another; only yes or no leaves",
    "registry.repeat": "finds what an act with the same client-made event id changed before",
    "registry.seal": "seals a reporting year of the whole registry, and keeps who may read it by each record's village",
    "registry.sweep": "asks the log whether a snapshot was ever recorded; only yes or no is used",
    "registry.snapshot": "writes the whole registry into the lake, whose readers are cut again",
    "sources.earlier": "recognises what came before, whoever brought it; tells its number, day and count of rows only",
    "sources.mappings": "applies what was said of a header to files of the same dataset, whoever said it",
    "sources.measures": "counts batches and lines by dataset for the operator",
    "sources.sweep": "removes raw files of no batch; needs to know every batch's file",
    "workforce.guards": "answers who helps a household its caller already holds, and whether an account is in use",
}


def system_viewer(name: str) -> Viewer:
    """The viewer for the background work `name`; sees every row, and is named in the audit."""
    if name not in SYSTEM_VIEWERS:
        raise KeyError(f"{name} is not listed in SYSTEM_VIEWERS with a reason")
    return Viewer(user_id=0, name=name, system=name)
