# Three images from one file: `api` (API, sweeper, migrations), `worker-cpu`, on which OpenVINO runs all networks, and
# `worker-gpu`, with PyTorch and CUDA besides. Only the last is of several gigabytes.

# The version is exact; a digest is exacter: --build-arg PYTHON_IMAGE=python:3.11.14-slim-bookworm@sha256:...
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY . .

FROM build AS build-api
RUN --mount=type=cache,target=/var/cache/pip pip install --constraint constraints.txt --editable ".[notify,oidc]"

FROM build AS build-worker-cpu
RUN --mount=type=cache,target=/var/cache/pip pip install --constraint constraints.txt --editable ".[worker,raw,jxl]"
RUN NUMBA_CACHE_DIR=/var/cache/nightshift python -m worker.compile_loops

FROM build AS build-worker-gpu
RUN --mount=type=cache,target=/var/cache/pip pip install --constraint constraints.txt --editable ".[worker,torch]"
RUN NUMBA_CACHE_DIR=/var/cache/nightshift python -m worker.compile_loops

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    NIGHTSHIFT_HOME=/var/lib/nightshift NIGHTSHIFT_STORE_URL=file:///var/lib/nightshift/store
# A new volume takes over the owner of the folder it is mounted on.
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/nightshift nightshift \
 && install --directory --owner nightshift --group nightshift /var/lib/nightshift/store
WORKDIR /app
USER 10001

FROM base AS api
COPY --from=build-api /venv /venv
COPY --from=build-api /app /app
EXPOSE 8080

FROM base AS worker-cpu
COPY --from=build-worker-cpu /venv /venv
COPY --from=build-worker-cpu /app /app
# Loops that are compiled already, for processors like the builder's; what others need is kept there, too. A volume,
# since a container's own files may be read-only: a new one begins with what the image has.
ENV NUMBA_CACHE_DIR=/var/cache/nightshift
COPY --from=build-worker-cpu --chown=nightshift:nightshift /var/cache/nightshift /var/cache/nightshift
VOLUME /var/cache/nightshift

FROM base AS worker-gpu
COPY --from=build-worker-gpu /venv /venv
COPY --from=build-worker-gpu /app /app
ENV NUMBA_CACHE_DIR=/var/cache/nightshift
COPY --from=build-worker-gpu --chown=nightshift:nightshift /var/cache/nightshift /var/cache/nightshift
VOLUME /var/cache/nightshift
