package io.github.pgendpoints.settings;

/** The kind of the objects that hold the addresses of a Service. */
public enum PublishedKind {
  ENDPOINTS,
  ENDPOINT_SLICES
}
