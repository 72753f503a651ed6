# syntax=docker/dockerfile:1
# The production image: locked dependencies, no embedded servers, no development tools, an ordinary user.

FROM python:3.13-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/tokenok
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /build
# What changes seldom comes first: dependencies are installed again only when the lock changes.
COPY pyproject.toml uv.lock README.md ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --no-editable --no-install-project
COPY src ./src
COPY locales ./locales
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim-bookworm AS runtime
ENV PATH=/opt/tokenok/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN groupadd --system --gid 10001 tokenok \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin tokenok
# New volumes for the sealed log and for the archive take over this owner.
RUN install -d -m 755 -o 10001 -g 10001 /var/lib/tokenok/seal && install -d -m 750 -o 10001 -g 10001 /var/lib/tokenok/archive /var/lib/tokenok/exports
# Owned by root and read-only for the process: it cannot change its own code.
COPY --from=build /opt/tokenok /opt/tokenok
COPY LICENSE* README.md /usr/share/doc/tokenok/
WORKDIR /
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a gateway whose database is away must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["python", "-m", "gateway_main", "--host", "0.0.0.0", "--port", "8000"]
