"""The application for a WSGI server: `gunicorn --threads 96 core.wsgi:app`."""

from core.app import create_app
from core.logs import configure_logs

configure_logs()
app = create_app()
