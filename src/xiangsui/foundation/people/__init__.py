"""People on the donors' side: identity sealed under a key of their own, found by exact tokens, shown masked."""
