"""HTTP in front of the services in shared/. Never imports torch."""
