"""A grant knows the bulk opening in whose entry its digest stands, so that the entry can be verified."""

from django.db import migrations, models
from django.db.models import F


def find_openings(apps, schema_editor):
    GrantRow, Opening = apps.get_model("accounts", "GrantRow"), apps.get_model("audit", "Opening")
    # of a grant that was ended nobody wrote down how long it was given for: nearly always without an end
    GrantRow.objects.filter(ended_by=None).update(first_to=F("valid_to"))
    for opening in Opening.objects.filter(act="accounts.open").exclude(payload=None):
        said = opening.payload["content"]
        rows = GrantRow.objects.filter(user_id__gte=said["first"], user_id__lte=said["last"])
        rows.exclude(salt=None).filter(opened_in=None).update(opened_in=opening.event_id)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_deputyship_ended_at'),
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='grantrow',
            name='first_to',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='grantrow',
            name='opened_in',
            field=models.UUIDField(db_index=True, null=True),
        ),
        migrations.RunPython(find_openings, migrations.RunPython.noop),
    ]
