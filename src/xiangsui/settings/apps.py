"""Rooms and the libraries they stand on. A room's label is its name."""

INSTALLED_APPS = [
    # Rooms, lowest first.
    "xiangsui.foundation.kit",
    "xiangsui.foundation.jobs",
    "xiangsui.foundation.ledger",
    "xiangsui.foundation.orgs",
    "xiangsui.foundation.programme_rules",
    "xiangsui.foundation.privacy",
    "xiangsui.foundation.people",
    "xiangsui.foundation.accounts",
    "xiangsui.foundation.workflow",
    "xiangsui.foundation.indicators",
    "xiangsui.foundation.screens",
    "xiangsui.foundation.office",
    "xiangsui.programme.hla",
    "xiangsui.programme.donors",
    "xiangsui.programme.patients",
    "xiangsui.faces.web",
    "xiangsui.faces.demo",
    # Django and libraries.
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "treebeard",
    "django_scopes",
    "allauth",
    "allauth.account",
    "axes",
    "django_tasks",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "xiangsui.foundation.accounts.middleware.AssignmentMiddleware",
    "xiangsui.foundation.screens.middleware.CachingMiddleware",
    "xiangsui.foundation.screens.middleware.ErrorPageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "xiangsui.faces.web.urls"
WSGI_APPLICATION = "xiangsui.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "xiangsui.foundation.screens.context.page",
            ],
        },
    }
]
