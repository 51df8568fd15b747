"""Names are found by parts, pinyin and initials, telephone numbers by a keyed value; what stands there is filled in."""

from django.db import migrations, models

from wanjia.registry.services.names import tokens_of
from wanjia.scope import bulk
from wanjia.scope.keys import keyring

AT_ONCE = 20_000


def fill(apps, schema_editor):
    for name in ("Household", "Person"):
        _fill_phones(apps.get_model("registry", name))
    NameToken = apps.get_model("registry", "NameToken")
    names = apps.get_model("registry", "Person").objects.order_by().values_list("name_match", flat=True).distinct()
    for some in bulk.pieces(list(names), AT_ONCE):
        rows = tokens_of(some)
        bulk.insert(NameToken, {column: rows[column] for column in rows.column_names}, but_known=True)


def _fill_phones(model):
    rows = model.objects.filter(phone__isnull=False).only("pk", "phone").order_by("pk")
    last = None
    while some := list((rows if last is None else rows.filter(pk__gt=last))[:AT_ONCE]):
        last = some[-1].pk
        keys = {row.pk: keyring().phone_key(row.phone.clear()) for row in some}
        bulk.update(model, model._meta.pk.name, {model._meta.pk.name: list(keys), "phone_key": list(keys.values())})


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0008_change_requests'),
    ]

    operations = [
        migrations.CreateModel(
            name='NameToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=60)),
                ('name_match', models.CharField(max_length=60)),
            ],
        ),
        migrations.AddField(
            model_name='household',
            name='phone_key',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='person',
            name='phone_key',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='household',
            index=models.Index(condition=models.Q(('phone_key__isnull', False)), fields=['phone_key'], name='household_by_phone'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=models.Index(condition=models.Q(('phone_key__isnull', False)), fields=['phone_key'], name='person_by_phone'),
        ),
        migrations.AddConstraint(
            model_name='nametoken',
            constraint=models.UniqueConstraint(fields=('token', 'name_match'), name='nametoken_once', opclasses=['varchar_pattern_ops', 'varchar_pattern_ops']),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
