"""What API and workers stand on: settings, database, queue, reads, archives, files, broker, operations."""
