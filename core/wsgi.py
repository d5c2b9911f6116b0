"""The application for a WSGI server: `gunicorn --threads 96 core.wsgi:app`."""

from core.app import create_app

app = create_app()
