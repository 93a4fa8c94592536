from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("execution", "0007_reconciliation")]

    operations = [
        migrations.AddField(
            model_name="orderintent",
            name=name,
            field=models.CharField(blank=True, db_default="", default="", max_length=96),
        )
        for name in ("reason_had", "reason_limit")
    ]
