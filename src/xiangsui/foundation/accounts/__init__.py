"""Who signs in, and as what: dated assignments of a role at an organisation, one of which is worked under at a time."""
