"""Static files: built by npm, committed, served by WhiteNoise with hashed names."""

from .paths import HOME

STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# Served straight from the packages, so that no collectstatic step stands between a pull and a start.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600
