"""A synthetic demonstration: seeded, believable, with no real person and no real hospital."""
