"""A given name is found by its initials, too; the names that are known are learnt again."""

from django.db import migrations

from wanjia.registry.services.names import tokens_of
from wanjia.scope import bulk

AT_ONCE = 20_000


def learn_again(apps, schema_editor):
    NameToken = apps.get_model("registry", "NameToken")
    names = NameToken.objects.order_by("name_match").values_list("name_match", flat=True).distinct()
    for some in bulk.pieces(list(names), AT_ONCE):
        rows = tokens_of(some)
        bulk.insert(NameToken, {column: rows[column] for column in rows.column_names}, but_known=True)


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0011_sheet_imports'),
    ]

    operations = [
        migrations.RunPython(learn_again, migrations.RunPython.noop),
    ]
