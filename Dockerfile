# One image for every process: `web` (the default), `worker`, `scheduler`, `migrate`, `backup`.
# The base can be pinned by its digest: --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /srv/warmline
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Dependencies first: they change less often than the code. Each is checked against its hash.
# Those that send spans are among them: nothing can be installed into a container later.
COPY requirements.txt requirements-otel.txt ./
RUN python -m venv .venv && .venv/bin/pip install --require-hashes -r requirements.txt -r requirements-otel.txt
COPY pyproject.toml requirements.in README.md LICENSE NOTICE ./
COPY integrations integrations
COPY service service
COPY workers workers
COPY sandbox sandbox
RUN .venv/bin/pip install --no-deps --no-build-isolation . && .venv/bin/python -m compileall -q .venv

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Warmline" org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/warmline --create-home --shell /usr/sbin/nologin warmline
COPY --from=build /srv/warmline/.venv /srv/warmline/.venv
ENV PATH=/srv/warmline/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TZ=UTC \
    WARMLINE_BIND=0.0.0.0 PORT=8000 WARMLINE_JSON_LOGS=true WARMLINE_HOME=/var/lib/warmline
WORKDIR /var/lib/warmline
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/livez\", timeout=4)"]
ENTRYPOINT ["warmline"]
CMD ["web"]
