"""What happened, once and for ever: append-only events in hash chains, one chain per organisation."""
