"""The tree of organisations: nation, province branch, city workstation, county, and what belongs to them."""
