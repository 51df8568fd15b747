from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_saved_filters'),
    ]

    operations = [
        migrations.AddField(
            model_name='deputyship',
            name='ended_at',
            field=models.DateTimeField(null=True),
        ),
    ]
