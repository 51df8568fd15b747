from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "wanjia.files"
    label = "files"
    verbose_name = "附件"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch
        from wanjia.files.purposes import purposes

        watch("files.StoredFile")
        purposes()  # a purpose that cannot be kept is refused at start
