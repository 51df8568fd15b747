from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def as_its_import(apps, schema_editor):
    """Until now only who brought the first file was kept; of the second the audit log tells."""
    imports = apps.get_model("registry", "SheetImport").objects.filter(pk=OuterRef("of_id"))
    apps.get_model("registry", "SheetFile").objects.update(
        brought_by=Subquery(imports.values("brought_by")[:1]), brought_at=Subquery(imports.values("brought_at")[:1])
    )


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0015_sealed_years_corrected'),
    ]

    operations = [
        migrations.AddField('sheetfile', 'brought_by', models.BigIntegerField(null=True)),
        migrations.AddField('sheetfile', 'brought_at', models.DateTimeField(null=True)),
        migrations.RunPython(as_its_import, migrations.RunPython.noop),
        migrations.AlterField('sheetfile', 'brought_by', models.BigIntegerField()),
        migrations.AlterField('sheetfile', 'brought_at', models.DateTimeField()),
    ]
