from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wanjia.kernel.errors import Sentence

TABLES = (
    "Household",
    "Person",
    "Membership",
    "HouseholdYear",
    "PersonYear",
    "Relocation",
    "VillageYear",
    "HamletYear",
    "HouseholdAlias",
    "PersonAlias",
    "Change",
    "ChangeRequest",
    "ChangeRequestItem",
    "Erasure",
    "ReportingYear",
    "YearCorrection",
    "SheetImport",
    "SheetFile",
)


class RegistryConfig(AppConfig):
    name = "wanjia.registry"
    label = "registry"
    verbose_name = "建档立卡"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.accounts import saved
        from wanjia.audit import details, subjects
        from wanjia.audit.watched import watch
        from wanjia.exports import lists
        from wanjia.kernel.errors import Sentence
        from wanjia.registry.choices import SHOWN_IN_LISTS, SHOWN_ON_THE_PAGE
        from wanjia.registry.loaded import loaded_rows
        from wanjia.registry.payloads import payload_of_change
        from wanjia.registry.queries import may_read
        from wanjia.registry.services.export import EXPORT, HOUSEHOLDS, exportable
        from wanjia.registry.services.sheets.exporting import SHEET, exportable_sheet

        watch(*(f"registry.{table}" for table in TABLES))
        details.register_details("registry.Change", payload_of_change, tombstone="digest")
        details.register_source(details.DetailSource("registry.load", loaded_rows))
        sheets = Sentence("户年度表、成员表", "National sheets")
        lists.declare(lists.ExportableList(SHEET, sheets, EXPORT, exportable_sheet, "registry:export_sheet"))
        title = Sentence("户名单", "Households")
        saved.declare(saved.SavableList(HOUSEHOLDS, title, "registry:households"))
        lists.declare(lists.ExportableList(HOUSEHOLDS, title, EXPORT, exportable, "registry:export"))
        for fields, title in (
            (SHOWN_IN_LISTS, Sentence("户名册", "List of households")),
            (SHOWN_ON_THE_PAGE, Sentence("户页面", "Household page")),
            (("photo",), Sentence("户照片", "Household photo")),
        ):
            subjects.declare_page("registry.read", "household", title, fields=fields)
        subjects.declare_fields(_field_words)
        for kind in ("household", "person"):
            subjects.declare_page("registry.reveal", kind, Sentence("显示完整号码", "Full number shown"))
        subjects.declare(
            subjects.Subject("household", Sentence("户", "Household"), visible=may_read, url_name="registry:household")
        )


def _field_words() -> Mapping[str, Sentence]:
    """What the registry calls its fields."""
    from wanjia.registry.fields import TITLES

    return TITLES
