"""The ASGI entry point. A server that imports it runs in production mode unless told otherwise."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitehub.settings")
os.environ.setdefault("DJANGO_DEBUG", "off")

application = get_asgi_application()
