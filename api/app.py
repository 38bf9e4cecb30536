"""The API's composition root: `gunicorn "api.app:create_app()"`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, redirect, request
from flask_openapi import OpenAPI
from flask_openapi_swagger.plugins import RegisterPlugin
from werkzeug import Response as BaseResponse

from api import (
    access,
    answer_headers,
    audit,
    auth,
    bundles,
    health,
    jobs,
    keys,
    load,
    metrics,
    oidc,
    overview,
    page_files,
    photos,
    problems,
    results,
    running,
    sign_in,
    webhooks,
    workers,
)
from api.context import EXTENSION, Context
from api.description import INFO, SECURITY_SCHEMES, as_3_1, polish
from api.drawing import Drawing
from api.json_bodies import JsonRequest, require_json
from api.known_keys import KnownKeys
from api.last_use import LastUse
from api.probes import Probes
from api.proxies import TrustedProxies
from api.queries import refuse_request, require_known_query
from api.rate_limits import RateLimits
from api.sessions import Sessions
from api.waiting import WaitingRoom
from shared.addresses import networks_in
from shared.broker.doorbell import CeleryDoorbell
from shared.bundles.in_use import bundle_in_use
from shared.db.engine import Database
from shared.files.store import Store
from shared.logs import configure, hide
from shared.reads.jobs import JobReads
from shared.settings import Settings, load_settings

if TYPE_CHECKING:
    from api.provider import Provider


def create_app(settings: Settings | None = None) -> Flask:
    """Put the API together. To be called in the process that serves: nothing here survives a fork.

    Args:
        settings: from the environment when None.

    Raises:
        InvalidInput: `bad_setting`, also where the extra `oidc` is needed and missing; `api_key_required`
            when no root key is set and none can be made.
        ModelUnavailable: as `bundle_in_use`.
    """
    settings = settings or load_settings()
    configure(settings.log_level, settings.log_format)
    app = OpenAPI(
        "api",
        info=INFO,
        security_schemes=SECURITY_SCHEMES,
        doc_ui=False,
        validation_error_model=problems.Problem,
        validation_error_callback=refuse_request,
    )
    app.request_class = JsonRequest
    # Whatever FLASK_DEBUG says, which is another program's.
    app.debug = False
    app.extensions[EXTENSION] = _context(settings)
    problems.register(app)
    access.register(app)
    answer_headers.register(app)
    app.before_request(auth.guard)
    app.before_request(require_known_query)
    app.before_request(require_json)
    for part in (
        *(overview, jobs, photos, results, keys, webhooks, sign_in, oidc),
        *(audit, running, workers, bundles, health, load, metrics),
    ):
        app.register_api(part.blueprint)
    _serve_description(app)
    page_files.register(app)
    app.wsgi_app = TrustedProxies(app.wsgi_app, networks_in(settings.trusted_proxies))  # type: ignore[method-assign]
    return app


def _context(settings: Settings) -> Context:
    database = Database(settings.database_url)
    root = settings.root_key()
    hide(root)
    return Context(
        settings=settings,
        database=database,
        store=Store(settings.store_url),
        doorbell=CeleryDoorbell(settings.broker_url),
        bundle=bundle_in_use(settings)[1],
        jobs=JobReads(database),
        waiting_room=WaitingRoom(seats=settings.api_threads // 2),
        rate_limits=RateLimits(settings.rate_limit),
        known_keys=KnownKeys(root, database),
        sessions=Sessions(root, database, settings),
        provider=_provider(settings),
        last_use=LastUse(database),
        probes=Probes(),
        overviews=overview.Overviews(database),
        drawing=Drawing(settings),
    )


def _provider(settings: Settings) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_secret()
    # What it stands on is an extra.
    from api.provider import Provider

    return Provider(settings, secret)


def _serve_description(app: OpenAPI) -> None:
    """`/openapi.json`, the same as OpenAPI 3.1, and Swagger UI at `/docs`, all from this machine."""
    document: dict[str, Any] = app.api_doc
    polish(document)
    # Swagger UI would ask a public server whether the document is valid.
    app.config["SWAGGER_CONFIG"] = {"validatorUrl": None}
    app.register_blueprint(RegisterPlugin.register(doc_url="../openapi.json"), url_prefix="/docs")

    @app.route("/openapi.json")
    def openapi() -> Response:
        return jsonify(document)

    @app.route("/openapi-3.1.json")
    def openapi_3_1() -> Response:
        return jsonify(as_3_1(document))

    @app.route("/docs")
    @app.route("/docs/")
    def docs() -> BaseResponse:
        return redirect("swagger" if request.path.endswith("/") else "docs/swagger")
