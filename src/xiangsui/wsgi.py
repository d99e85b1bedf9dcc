"""The WSGI application that `manage serve` and other servers run."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiangsui.settings.embedded")
application = get_wsgi_application()

from xiangsui.foundation.privacy.services import keys_ensure  # noqa: E402  needs the installed rooms

# Wrong or missing keys: refuse to start rather than seal people under keys that nobody keeps.
keys_ensure()
