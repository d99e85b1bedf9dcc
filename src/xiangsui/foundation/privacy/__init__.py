"""Identity under lock: a data key per person, look-ups by exact HMAC tokens, erasure by destroying the key."""
