export OTEL_EXPORTER_OTLP_ENDPOINT={{ url }}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS=X-API-Key={{ key }}
export OTEL_METRICS_EXPORTER=none
# what was said is in the spans only if the instrumentation is asked for it
export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true
# some write an attribute for each message, and the SDK keeps 128
export OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=10000
