"""The rules of the programme as data: value, unit, jurisdiction, valid-from, source, and who confirmed it."""
