import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('brokers', '0002_account_cash'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaperBook',
            fields=[
                ('login', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='paper_book', serialize=False, to='brokers.brokerlogin')),
                ('document', models.TextField()),
                ('revision', models.PositiveBigIntegerField(default=1)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
    ]
