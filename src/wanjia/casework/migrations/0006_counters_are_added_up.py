"""The counters say of each case where it is about and on which topic too, and are added to instead of changed."""

from django.db import migrations, models
from django.db.models import Count, F
from django.db.models.functions import Substr

KEY = ("holder_area", "place", "kind", "flow_version", "topic", "step", "raised_to", "warn_on", "due_on")


def count_anew(apps, schema_editor):
    """The old rows do not tell where their cases are about: all are counted once more."""
    Case = apps.get_model("casework", "Case")
    CaseCounter = apps.get_model("casework", "CaseCounter")
    CaseCounter.objects.all().delete()
    open_now = Case.objects.filter(closed_at=None).exclude(warn_on=None).annotate(place=Substr("area_code", 1, 9))
    for key in (KEY, tuple(name for name in KEY if name != "topic")):
        counted = open_now.values(*key).annotate(n=Count("pk")).order_by()
        CaseCounter.objects.bulk_create((CaseCounter(**row, folded=True) for row in counted), batch_size=1_000)
    apps.get_model("casework", "CaseMove").objects.update(folded=True)
    apart = apps.get_model("casework", "CaseSubject").objects.exclude(area_code=F("case__area_code"))
    apart.update(apart=True)


class Migration(migrations.Migration):

    dependencies = [
        ('casework', '0005_sealed_proposals'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='casecounter',
            name='casecounter_one_per_desk_step_and_dates',
        ),
        migrations.RemoveConstraint(
            model_name='casecounter',
            name='casecounter_is_never_negative',
        ),
        migrations.RemoveConstraint(
            model_name='casemove',
            name='casemove_one_per_township_day_and_move',
        ),
        migrations.AddField(
            model_name='casecounter',
            name='place',
            field=models.CharField(default='', max_length=9),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='casecounter',
            name='flow_version',
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='casecounter',
            name='topic',
            field=models.CharField(blank=True, default='', max_length=20),
        ),
        migrations.AddField(
            model_name='casecounter',
            name='raised_to',
            field=models.CharField(blank=True, default='', max_length=15),
        ),
        migrations.AddField(
            model_name='casecounter',
            name='folded',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='casemove',
            name='folded',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='casesubject',
            name='apart',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(count_anew, migrations.RunPython.noop),
    ]
