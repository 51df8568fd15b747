from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registry', '0012_given_names_by_initials'),
    ]

    operations = [
        migrations.AddField(
            model_name='sheetfile',
            name='removed_on',
            field=models.DateField(null=True),
        ),
    ]
