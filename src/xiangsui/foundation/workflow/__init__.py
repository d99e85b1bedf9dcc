"""State machines as tables. A room writes its table; this room checks, changes, records and draws it."""
