"""Whether demonstration accounts may sign in: on one machine yes, in production never."""

DEMO_ALLOWED = True
