from django.apps import AppConfig


class FilesConfig(AppConfig):
    name = "wanjia.files"
    label = "files"
    verbose_name = "附件"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import subjects
        from wanjia.audit.watched import watch
        from wanjia.files.purposes import purposes
        from wanjia.kernel.errors import Sentence

        watch("files.StoredFile")
        subjects.declare_page("files.read", "file", Sentence("打开附件", "File opened"))
        subjects.declare(
            subjects.Subject("file", Sentence("附件", "File"), visible=lambda viewer, _number: viewer.is_system)
        )
        purposes()  # a purpose that cannot be kept is refused at start
