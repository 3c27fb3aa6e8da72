package io.github.pgendpoints.management;

import java.util.Map;

/**
 * A response of the management port.
 *
 * @param status the HTTP status
 * @param type the content type
 * @param headers any other headers
 */
record Page(int status, String type, String body, Map<String, String> headers) {
  static final String JSON = "application/json";
  static final String TEXT = "text/plain; charset=utf-8";

  static Page of(int status, String type, String body) {
    return new Page(status, type, body, Map.of());
  }
}
