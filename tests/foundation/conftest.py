from support.plugin import django_db_setup, own_index, sign_in, world

__all__ = ["django_db_setup", "own_index", "sign_in", "world"]
