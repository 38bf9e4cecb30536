"""Made-up event folders to try the product on, and measurements."""
