"""The Django project: settings, URLs, background jobs and the commands' entry point."""

from observatory.celery import app as celery_app

__all__ = ["celery_app"]
