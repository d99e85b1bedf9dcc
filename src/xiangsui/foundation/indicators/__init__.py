"""Figures counted from the ledger: declared once in the room whose events they count, the same on every screen."""
