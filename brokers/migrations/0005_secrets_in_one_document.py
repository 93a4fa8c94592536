import json
from datetime import datetime

from django.db import migrations


def gather(apps, _schema_editor):
    """One document for what were two columns. A secret that does not decrypt stops the migration: nothing is lost."""
    for login in apps.get_model('brokers', 'BrokerLogin').objects.order_by('pk').iterator():
        found = {name: value for name in ('password', 'app_secret') if (value := getattr(login, name)) != ''}
        login.secrets = found or None
        login.token_expires_at = datetime.fromisoformat(json.loads(login.token)['expires_at']) if login.token else None
        login.save(update_fields=['secrets', 'token_expires_at'])


def spread(apps, _schema_editor):
    for login in apps.get_model('brokers', 'BrokerLogin').objects.order_by('pk').iterator():
        found = login.secrets or {}
        login.password, login.app_secret = found.get('password', ''), found.get('app_secret', '')
        login.save(update_fields=['password', 'app_secret'])


class Migration(migrations.Migration):

    dependencies = [
        ('brokers', '0004_connections'),
    ]

    operations = [
        migrations.RunPython(gather, spread),
        migrations.RemoveField(
            model_name='brokerlogin',
            name='password',
        ),
        migrations.RemoveField(
            model_name='brokerlogin',
            name='app_secret',
        ),
    ]
