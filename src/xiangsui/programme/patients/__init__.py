"""The patients' side: a hospital's search requests. It meets donors only as pseudonymous cards."""
