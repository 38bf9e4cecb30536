"""The server below the application: gunicorn, where no client gets a thread before it has asked."""
