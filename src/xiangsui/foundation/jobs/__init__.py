"""Work that takes longer than a page: enqueued with the change that asks for it, seen while it runs, never lost."""
