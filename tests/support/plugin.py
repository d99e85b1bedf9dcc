"""Fixtures of the platform's tests; each wing's conftest takes them in by name."""

from __future__ import annotations

import shutil

import pytest
from django.core.management import call_command
from django.test import Client

from . import world as worlds

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(scope="module")
def standing_world(django_db_setup, django_db_blocker):
    """The world written once for a module and taken away after it: other modules count on an empty database."""
    with django_db_blocker.unblock():
        worlds.build()
    yield
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def world(standing_world, db):
    """Organisations, cast and donors, as they stand before each test."""
    forget_searches()
    return worlds.load()


def forget_searches() -> None:
    """Rolled-back tests give out the same numbers again; the search's short memory must not survive them."""
    from xiangsui.programme.hla import engine, selectors

    selectors._cache.clear()
    engine._searcher = None


@pytest.fixture
def own_index(world, settings, tmp_path):
    """A copy of the world's index that the test may rebuild or break."""
    copy = tmp_path / "index"
    shutil.copytree(settings.HLA_INDEX_DIR, copy)
    settings.HLA_INDEX_DIR = copy
    forget_searches()
    yield copy
    forget_searches()


@pytest.fixture
def sign_in(world):
    """`sign_in("alice")` gives a client of that person; None gives a visitor."""

    def enter(who: str | None) -> Client:
        client = Client()
        if who:
            client.force_login(world.users[who], backend=BACKEND)
        return client

    return enter
