
from django.db import migrations, models

from wanjia.kernel import clock


def begin(apps, schema_editor):
    """The year the registry is of is open; earlier years it holds facts of wait to be sealed."""
    home, *yearly = (apps.get_model("registry", name) for name in ("Household", "HouseholdYear", "PersonYear"))
    newest = home.objects.aggregate(newest=models.Max("year"))["newest"]
    if newest is None:
        return
    known = {year for model in yearly for year in model.objects.values_list("year", flat=True).distinct()}
    at = clock.now()
    year_of = apps.get_model("registry", "ReportingYear")
    year_of.objects.bulk_create(
        year_of(year=year, state="open" if year == newest else "earlier", opened_at=at)
        for year in sorted({newest, *(year for year in known if year < newest)})
    )


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0009_found_by_name_and_phone'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReportingYear',
            fields=[
                ('year', models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('earlier', '待封存'), ('open', '开放'), ('sealed', '已封存')], max_length=10)),
                ('opened_at', models.DateTimeField()),
                ('sealed_at', models.DateTimeField(null=True)),
                ('sealed_by', models.BigIntegerField(null=True)),
                ('event_id', models.UUIDField(null=True)),
                ('address', models.CharField(blank=True, max_length=80)),
                ('serving', models.CharField(blank=True, max_length=80)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('households', models.PositiveIntegerField(null=True)),
                ('persons', models.PositiveIntegerField(null=True)),
            ],
            options={
                'verbose_name': '报告年度',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('state',), name='reporting_year_one_open'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'sealed'), _negated=True), models.Q(('event_id__isnull', False), ('sealed_at__isnull', False)), _connector='OR'), name='reporting_year_sealed_by_an_act')],
            },
        ),
        migrations.CreateModel(
            name='YearCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField()),
                ('household_no', models.IntegerField()),
                ('person_no', models.IntegerField(null=True)),
                ('village_code', models.CharField(max_length=12)),
                ('field', models.CharField(max_length=40)),
                ('old', models.CharField(blank=True, max_length=200)),
                ('new', models.CharField(blank=True, max_length=200)),
                ('decided_on', models.DateField()),
                ('event_id', models.UUIDField()),
            ],
            options={
                'verbose_name': '封存年度更正',
                'indexes': [models.Index(fields=['household_no', 'year'], name='year_correction_by_household')],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
