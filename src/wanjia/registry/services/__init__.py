"""Everything that writes the registry. Each act: its changes, its change rows, one audit entry, one commit."""

from wanjia.registry.services.change import (
    Edit,
    correct,
    exit_normally,
    remove_household,
)
from wanjia.registry.services.export import HOUSEHOLDS, export_households
from wanjia.registry.services.load import LoadResult, Rejected, load_registry
from wanjia.registry.services.members import (
    Leaving,
    Newcomer,
    add_member,
    change_head,
    merge_person,
    newcomer_values,
    number_values,
    remove_members,
)
from wanjia.registry.services.names import tidy_names
from wanjia.registry.services.overlay import PlaceEdit, correct_sealed, correct_sealed_village
from wanjia.registry.services.reveal import reveal
from wanjia.registry.services.sealing import SEALING, SealedYear, ask_to_seal, checks_of, seal_in_background, seal_year
from wanjia.registry.services.sheets.keeping import sweep_sheets
from wanjia.registry.services.snapshot import publish_snapshot, write_extract
from wanjia.registry.services.sweep import sweep_snapshots
from wanjia.registry.services.tables import RegistryBatch
from wanjia.registry.services.villages import VillagesLoaded, load_villages
from wanjia.registry.services.writing import Changed

__all__ = [
    "HOUSEHOLDS",
    "SEALING",
    "Changed",
    "Edit",
    "Leaving",
    "LoadResult",
    "Newcomer",
    "PlaceEdit",
    "RegistryBatch",
    "Rejected",
    "SealedYear",
    "VillagesLoaded",
    "add_member",
    "ask_to_seal",
    "change_head",
    "checks_of",
    "correct",
    "correct_sealed",
    "correct_sealed_village",
    "exit_normally",
    "export_households",
    "load_registry",
    "load_villages",
    "merge_person",
    "newcomer_values",
    "number_values",
    "publish_snapshot",
    "remove_household",
    "remove_members",
    "reveal",
    "seal_in_background",
    "seal_year",
    "sweep_sheets",
    "sweep_snapshots",
    "tidy_names",
    "write_extract",
]
