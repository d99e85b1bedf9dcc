"""What the demo runs on: a synthetic frequency set and its starter nomenclature, and the script that makes
them."""
