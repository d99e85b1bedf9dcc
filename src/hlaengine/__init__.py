"""HLA nomenclature, imputation, matching and search for stem-cell donor registries.

A pure numerical library: NumPy only, numba where it is installed. It knows nothing of Django, of donors'
identities or of the network.
"""

__version__ = "0.1.0"
