from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('risk', '0002_high_water'),
    ]

    operations = [
        migrations.AddField(
            model_name='risklimit',
            name='high_water_of',
            field=models.JSONField(editable=False, null=True),
        ),
    ]
