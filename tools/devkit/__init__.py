"""What stands behind `dev`: plain standard library, so that a bare Python can run it."""
