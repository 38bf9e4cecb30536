"""Variables of other programs."""

STRANGERS = {
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CELERY_BROKER_READ_URL": "redis://127.0.0.1:1/1",
    "CELERY_BROKER_WRITE_URL": "redis://127.0.0.1:1/2",
    "CELERY_CONFIG_MODULE": "no_such_module",
    "CELERY_LOADER": "no.such.loader",
    "CELERY_WORKER_POOL": "solo",
    "BROKER_URL": "redis://127.0.0.1:1/3",
    "GUNICORN_CMD_ARGS": "--workers 9",
    "FLASK_DEBUG": "1",
    "C_FORCE_ROOT": "1",
    "PYTHONPATH": "/no/such",
    "PYTHONSTARTUP": "/no/such",
    "DATABASE_URL": "postgresql://elsewhere",
    "PGHOST": "elsewhere",
    "NIGHTSHIFT_API_KEY": "of-the-shell-that-this-was-started-in",
    "SOME_TOKEN": "secret",
}
