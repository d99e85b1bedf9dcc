"""One machine: SQLite, one worker, a local index. What `dev run` starts."""

import os
import secrets

from .accounts_demo import *
from .apps import *
from .database import *
from .hla import *
from .i18n import *
from .jobs import *
from .logs import *
from .paths import *
from .paths import HOME
from .security import *
from .signin import *
from .static import *


def _secret() -> str:
    """The site's own secret, made at the first start and kept with its state."""
    if key := os.environ.get("XIANGSUI_SECRET_KEY"):
        return key
    path = HOME / "keys" / "secret-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(48))
        try:
            # A hard link loses the race instead of overwriting the winner: server and worker start together.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


DEBUG = False
SECRET_KEY = _secret()
ALLOWED_HOSTS = os.environ.get("XIANGSUI_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
