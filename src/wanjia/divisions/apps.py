from django.apps import AppConfig


class DivisionsConfig(AppConfig):
    name = "wanjia.divisions"
    label = "divisions"
    verbose_name = "行政区划"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch
        from wanjia.divisions import queries
        from wanjia.ui import hooks

        watch("divisions.Division", "divisions.DivisionAlias")
        hooks.register_area_names(queries.names_of)
        hooks.register_area_tree(
            queries.path_of, lambda code: [(place.code, place.name) for place in queries.children(code)]
        )
