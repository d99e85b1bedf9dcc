"""The donor programme itself: typing and search, donors, patients."""
