import brokers.fields
import django.db.models.deletion
import justtrades.clock
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('brokers', '0003_paper_book'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='brokerlogin',
            name='environment',
            field=models.CharField(choices=[('sandbox', 'Sandbox'), ('demo', 'Demo'), ('paper', 'Paper'), ('live', 'Live')], max_length=16),
        ),
        migrations.AddField(
            model_name='brokeraccount',
            name='can_trade',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='brokeraccount',
            name='is_simulated',
            field=models.BooleanField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='brokeraccount',
            name='kind',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='brokeraccount',
            name='preflight',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name='brokeraccount',
            name='preflight_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='auth_kind',
            field=models.CharField(choices=[('credentials', 'Credentials'), ('oauth', "The broker's sign-in page")], default='credentials', max_length=16),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='awaits_approval',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='deleted_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='firm',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='reconnect_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='secrets',
            field=brokers.fields.EncryptedJsonField(blank=True, default=None),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='settings',
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name='brokerlogin',
            name='token_expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RemoveConstraint(
            model_name='brokerlogin',
            name='one_login_per_username',
        ),
        migrations.AddConstraint(
            model_name='brokerlogin',
            constraint=models.UniqueConstraint(models.F('owner'), models.F('venue'), models.F('environment'), models.F('firm'), models.F('username'), name='one_login_per_username'),
        ),
        migrations.CreateModel(
            name='BrokerAgreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('venue', models.CharField(max_length=32)),
                ('firm', models.CharField(blank=True, max_length=64)),
                ('text_hash', models.CharField(max_length=64)),
                ('agreed_at', models.DateTimeField(default=justtrades.clock.now, editable=False)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='broker_agreements', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='brokeragreement',
            constraint=models.UniqueConstraint(models.F('owner'), models.F('venue'), models.F('firm'), models.F('text_hash'), name='one_agreement_per_text'),
        ),
    ]
