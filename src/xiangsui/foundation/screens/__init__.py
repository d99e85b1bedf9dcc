"""The one look: pages, lists, exports and errors that every room shares."""
