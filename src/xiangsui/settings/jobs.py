"""Background jobs: rows of the same database, so that enqueuing is part of the transaction that asks for it."""

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "OPTIONS": {"id_function": "xiangsui.foundation.kit.ids.uuid7"},
    }
}
# A worker renews its lease at a third of this; a job whose lease ran out is queued again. [design]
JOB_LEASE_SECONDS = 60
