"""The register of volunteer donors: who is listed, with which typing, by which organisation."""
