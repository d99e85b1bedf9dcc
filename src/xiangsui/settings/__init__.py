"""Settings, one file per concern. `embedded` runs one machine, `production` a registry, `testing` the suite."""
