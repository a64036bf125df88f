# The inference service: Python, the locked serving set, the compiled scorer, and nothing else.
#   docker build --tag ml-inference-service:dev .
#   docker build --tag ml-inference-service:dev-onnx --target onnx .      # with ONNX Runtime and NumPy
# Two builds of one commit hold the same files, byte for byte: the wheels are locked, bytecode carries no time stamp.
# Any base with `python` 3.11 or newer and Debian's packages works; BuildKit is not required. Published images use the digest in
# .github/base-image/Dockerfile.
ARG BASE=python:3.11-slim

# --- build: the locked packages and the compiled scorer, in a virtual environment -------------------------------------
FROM ${BASE} AS build
SHELL ["/bin/sh", "-eux", "-c"]
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
# A compiler, and Python's headers where the base has none. This stage is thrown away: no version to pin.
# hadolint ignore=DL3008
RUN apt-get update -qq; \
    apt-get install -y -qq --no-install-recommends gcc libc6-dev; \
    python -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null \
    || apt-get install -y -qq --no-install-recommends python3-dev; \
    rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements-build.lock requirements-serving.lock ./
# The environment gets no pip of its own: the base's installs into it. --no-deps: the lock is the whole truth.
RUN python -m venv --without-pip /opt/tenantry; \
    pip --python /opt/tenantry/bin/python install --quiet --no-compile --no-deps --only-binary :all: \
    --require-hashes --requirement requirements-serving.lock; \
    pip install --quiet --only-binary :all: --require-hashes --requirement requirements-build.lock
COPY setup.py ./
COPY inference inference
# setup.py takes a failing compiler for none, but the image is not to be slow without a word: `test` insists.
RUN CFLAGS=-g0 python setup.py --quiet build_ext --inplace; \
    test -e inference/model/_scorer.*.so; \
    test -e inference/model/_ngrams.*.so; \
    test -e inference/model/_linear.*.so; \
    test -e inference/serving/_bounds.*.so; \
    test -e inference/serving/_distribution.*.so; \
    cp -R inference /opt/tenantry/lib/python3*/site-packages/; \
    find /opt/tenantry -depth \( -name tests -o -name '*.pyx' -o -name '*.c' -o -name '*.pyi' -o -name '*.pxd' \
    -o -path '*/bin/*' ! -name 'python*' \) -exec rm -rf {} +
ARG SOURCE_DATE_EPOCH=0
# The checkout's file modes depend on who cloned it: any user is to be able to read the service.
RUN /opt/tenantry/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/tenantry/lib; \
    chmod -R u=rwX,go=rX /opt/tenantry; \
    find /opt/tenantry -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

# --- build-onnx: the same with ONNX Runtime and NumPy, without their tools --------------------------------------------
FROM build AS build-onnx
COPY requirements-onnx.lock ./
ARG SOURCE_DATE_EPOCH=0
RUN pip --python /opt/tenantry/bin/python install --quiet --no-compile --no-deps --only-binary :all: \
    --require-hashes --requirement requirements-onnx.lock; \
    find /opt/tenantry -depth \( -name tests -o -name '*.pyi' -o -name '*.pxd' -o -name '*.a' -o -name '*.h' \
    -o -path '*/numpy/f2py' -o -path '*/onnxruntime/datasets' -o -path '*/onnxruntime/quantization' \
    -o -path '*/onnxruntime/tools' -o -path '*/onnxruntime/transformers' -o -path '*/bin/*' ! -name 'python*' \) \
    -exec rm -rf {} +; \
    ORT_DISABLE_TELEMETRY=1 /opt/tenantry/bin/python -c 'import onnxruntime; onnxruntime.InferenceSession'; \
    /opt/tenantry/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/tenantry/lib; \
    chmod -R u=rwX,go=rX /opt/tenantry; \
    find /opt/tenantry -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

# --- root: the base without what only installs, tests or documents ----------------------------------------------------
FROM ${BASE} AS root
SHELL ["/bin/sh", "-eux", "-c"]
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
ARG SOURCE_DATE_EPOCH=0
RUN find /usr -depth \( -path '*-packages/*' -o -path '*/bin/pip*' -o -path '*/bin/idle*' -o -name '*.pyc' -o -name '*.a' \
    -o -path '*/python3*/ensurepip*' -o -path '*/python3*/idlelib*' -o -path '*/python3*/lib2to3*' \
    -o -path '*/python3*/test*' -o -path '*/python3*/tkinter*' -o -path '*/python3*/turtledemo*' \
    -o -path '/usr/share/python-wheels*' -o -path '/usr/share/doc/*' -o -path '/usr/share/info/*' \
    -o -path '/usr/share/locale/*' -o -path '/usr/share/man/*' \) ! -name copyright -exec rm -rf {} +; \
    rm -rf /root/.cache /var/cache/* /var/lib/apt/* /var/log/*; \
    python -m compileall -q -f --invalidation-mode unchecked-hash \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"; \
    find / -xdev ! -path '/proc*' ! -path '/sys*' ! -path '/dev*' ! -path '/etc/resolv.conf' ! -path '/etc/host*' \
    -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

# --- runtime: what both images share ----------------------------------------------------------------------------------
FROM scratch AS runtime
# What `root` removed would still be in the base's layers, with its weight and its vulnerabilities.
# hadolint ignore=DL3067
COPY --from=root / /
ENV PATH=/opt/tenantry/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
USER 1000:1000
WORKDIR /tmp
# Python takes 20 ms to begin: a signal that arrives before the service handles it waits instead of being lost.
CMD ["env", "--block-signal=TERM,INT", "python", "-m", "inference"]
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="ml-inference-service" \
      org.opencontainers.image.description="Serves one tenant's model over HTTP, with metrics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

# --- onnx: the image that serves ONNX models --------------------------------------------------------------------------
FROM runtime AS onnx
COPY --from=build-onnx /opt/tenantry /opt/tenantry
ENV INFERENCE_RUNTIME=onnx ORT_DISABLE_TELEMETRY=1

# --- the image that serves texts: two layers, what changes on top -----------------------------------------------------
FROM runtime
COPY --from=build /opt/tenantry /opt/tenantry
