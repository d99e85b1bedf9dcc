"""The WSGI application that `manage serve` and other servers run."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiangsui.settings.embedded")
application = get_wsgi_application()
