"""A registry: PostgreSQL, TLS in front, no demonstration. Everything secret comes from the environment."""

import os

from django.core.exceptions import ImproperlyConfigured

from .apps import *
from .database import *
from .hla import *
from .i18n import *
from .jobs import *
from .logs import *
from .paths import *
from .security import *
from .signin import *
from .static import *

for _name in ("XIANGSUI_SECRET_KEY", "XIANGSUI_HOSTS", "XIANGSUI_DATABASE_URL"):
    if not os.environ.get(_name):
        raise ImproperlyConfigured(f"{_name} must be set under production settings")

DEBUG = False
DEMO_ALLOWED = False
SECRET_KEY = os.environ["XIANGSUI_SECRET_KEY"]
ALLOWED_HOSTS = os.environ["XIANGSUI_HOSTS"].split(",")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
