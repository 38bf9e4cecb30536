"""Requests made from the API's own description: whatever is sent, the answer is one that it describes."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import delete

from shared.db.tables import Key
from tests.support.archives_made import zip_of
from tests.support.service import Service, make_service

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 7}

Operation = APIOperation[Any, Any, Any, Any]


class Jobs:
    """Ids of jobs in every state, made anew when they have been used up."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._dice = random.Random(7)
        self.photos: dict[str, str] = {}

    def forget_keys(self) -> None:
        """From the first admin key on everybody would need one."""
        with self._service.database.write() as session:
            session.execute(delete(Key))

    def any(self) -> tuple[str, str]:
        """A job in one of many states, and a photo of it or of none."""
        service = self._service
        made = self._dice.randrange(5)
        if made == 0:
            job_id = service.open_job()
            photo = service.put(job_id, "a").json["photo_id"]
        elif made == 1:
            job_id, photo = (
                str(service.send(archive=zip_of({"a.jpg": b"photo"})).json["id"]),
                "pho_" + "0" * 32,
            )
        else:
            job_id = service.submitted_job("a", "b")
            photo = next(iter(service.photos(job_id).values()))["photo_id"]
        if made == 3:
            service.work()
            service.finish(job_id)
        if made == 4:
            service.fail("corrupt_image")
            service.post(job_id, "pause")
        return job_id, photo


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = make_service(tmp_path_factory.mktemp("fuzzed"), in_place_roots="/")
    yield service
    service.database.close()


@pytest.fixture(scope="module")
def jobs(service: Service) -> Jobs:
    return Jobs(service)


@pytest.mark.parametrize("times", [1, pytest.param(43, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_every_answer_is_one_that_is_described(
    service: Service, jobs: Jobs, subtests: pytest.Subtests, times: int
) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", service.app)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        for mode in EXAMPLES:
            with subtests.test(operation.label, mode=mode.value):
                _send_many(operation, mode, EXAMPLES[mode] * times, jobs)


def _send_many(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int, jobs: Jobs
) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode), st.integers(0, 9))
    def send(case: Case[Any], die: int) -> None:
        if case.path_parameters and die < 7:
            # Ids that are made up are hardly ever those of a job.
            job_id, photo_id = jobs.any()
            known = {"job_id": job_id, "photo_id": photo_id}
            case.path_parameters = {
                name: known.get(name, value) for name, value in case.path_parameters.items()
            }
        case.call_and_validate(checks=CHECKS)
        jobs.forget_keys()

    # Of some operations nothing can be wrong.
    with contextlib.suppress(Unsatisfiable):
        send()
