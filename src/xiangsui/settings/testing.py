"""The suite's settings: a throw-away home, fast hashing, jobs run when a test says so."""

import os
import tempfile

os.environ.setdefault("XIANGSUI_HOME", tempfile.mkdtemp(prefix="xiangsui-test-"))

from .accounts_demo import *
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

DEBUG = False
SECRET_KEY = "only-for-tests"  # noqa: S105
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
