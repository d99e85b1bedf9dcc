"""Tools without a model: clock, identifiers, numbering, errors, pagination. Everything may stand on it."""
