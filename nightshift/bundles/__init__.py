"""`nightshift models`: bundles listed, checked, brought in and compared."""
