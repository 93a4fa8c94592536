"""The composition root: settings, addresses, health and the supervisor."""

from django.apps import AppConfig


class JusttradesConfig(AppConfig):
    name = "justtrades"

    def ready(self) -> None:
        """Every process that may ring a bell knows the Celery application, not only Celery's own."""
        import celery_app  # noqa: F401 - it needs the settings, which exist only now
