# The inference service: Python, the locked serving set, the compiled scorer, and nothing else.
#   docker build --tag ml-inference-service:dev .          (BuildKit is not needed)
# Two builds of one commit hold the same files, byte for byte: wheels are locked, bytecode carries no time stamp.
ARG BASE=python:3.11-slim

# --- build: the locked packages and the compiled scorer, in a virtual environment --------------------------------------
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
SHELL ["/bin/sh", "-euxc"]
# A compiler, and Python's headers where the base has none. The stage is thrown away: no version to pin.
# hadolint ignore=DL3008
RUN apt-get update -qq; \
    apt-get install -y -qq --no-install-recommends gcc libc6-dev; \
    python -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null \
    || apt-get install -y -qq --no-install-recommends python3-dev; \
    rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements-build.lock requirements-serving.lock ./
# The environment has no pip of its own: the base's installs into it.
RUN python -m venv --without-pip /opt/tenantry; \
    pip --python /opt/tenantry/bin/python install --quiet --no-compile --only-binary :all: --require-hashes \
    --requirement requirements-serving.lock; \
    pip install --quiet --only-binary :all: --require-hashes --requirement requirements-build.lock
COPY pyproject.toml setup.py ./
COPY inference inference
ARG SOURCE_DATE_EPOCH=0
RUN CFLAGS="-O3 -g0" python setup.py --quiet build_ext --inplace; \
    cp -R inference /opt/tenantry/lib/python3*/site-packages/; \
    cd /opt/tenantry; \
    find . -depth \( -name tests -o -name '*.pyx' -o -name '*.c' -o -name '*.pyi' -o -path './bin/*' ! -name 'python*' \) -exec rm -rf {} +; \
    /opt/tenantry/bin/python -m compileall -q -f --invalidation-mode unchecked-hash lib; \
    find . -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} +

# --- root: the base without what only installs, builds, tests or documents ----------------------------------------------
FROM ${BASE} AS root
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
SHELL ["/bin/sh", "-euxc"]
ARG SOURCE_DATE_EPOCH=0
RUN find /usr -depth \( -path '*-packages/*' -o -path '*/ensurepip*' -o -path '*/idlelib*' -o -path '*/lib2to3*' \
      -o -path '*/turtledemo*' -o -path '*/tkinter*' -o -path '*/python3*/test*' -o -path '*/bin/pip*' -o -path '*/bin/idle*' \
      -o -path '/usr/share/doc/*' -o -path '/usr/share/man/*' -o -path '/usr/share/locale/*' -o -path '/usr/share/info/*' \
      -o -path '/usr/share/python-wheels*' -o -name '*.pyc' -o -name '*.a' -o -path '*/include/*' \) ! -name copyright -exec rm -rf {} +; \
    rm -rf /var/cache /var/log /var/lib/apt /root/.cache; \
    mkdir -p /var/cache /var/log; \
    python -m compileall -q -f --invalidation-mode unchecked-hash "$(python -c 'import os; print(os.path.dirname(os.__file__))')"; \
    find / -xdev -not -path '/proc*' -not -path '/sys*' -not -path '/dev*' -exec touch -h -d "@${SOURCE_DATE_EPOCH}" {} + 2>/dev/null || true

# --- the image: three layers, the one that changes most on top ------------------------------------------------------------
FROM scratch
COPY --from=root / /
COPY --from=build /opt/tenantry /opt/tenantry
ENV PATH=/opt/tenantry/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
USER 1000:1000
WORKDIR /tmp
CMD ["python", "-m", "inference"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="ml-inference-service" \
      org.opencontainers.image.description="Serves one tenant's text classifier over HTTP, with metrics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
