import django.db.models.deletion
import django.db.models.functions.datetime
import justtrades.clock
from django.db import migrations, models


class Migration(migrations.Migration):
    """`db_default`: what still runs the version before may go on inserting."""

    dependencies = [
        ('brokers', '0006_venue_limits'),
        ('execution', '0006_flattens_and_breaks_keys'),
    ]

    operations = [
        migrations.AddField('break', 'is_suspected', models.BooleanField(db_default=False, default=False)),
        migrations.AddIndex(
            'break',
            models.Index(condition=models.Q(('is_suspected', True)), fields=['account'], name='suspected_breaks'),
        ),
        migrations.AddField('brokerposition', 'gone_at', models.DateTimeField(null=True)),
        migrations.AddField('brokerposition', 'settled_qty', models.IntegerField(db_default=0, default=0)),
        migrations.AddField('brokerposition', 'settled_at', models.DateTimeField(null=True)),
        migrations.AddField(
            'fill', 'stored_at',
            models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), default=justtrades.clock.now),
        ),
        migrations.AddIndex('fill', models.Index(fields=['account', 'stored_at'], name='fills_newly_heard_of')),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reconciliation', serialize=False, to='brokers.brokeraccount')),
                ('compared_at', models.DateTimeField(null=True)),
                ('failed_looks', models.PositiveSmallIntegerField(default=0)),
                ('failed_at', models.DateTimeField(null=True)),
                ('failure', models.CharField(blank=True, max_length=255)),
            ],
        ),
    ]
