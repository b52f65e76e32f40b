pip install litellm opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
export OTEL_EXPORTER=otlp_http
export OTEL_ENDPOINT={{ url }}/v1/traces
export OTEL_HEADERS=X-API-Key={{ key }}
