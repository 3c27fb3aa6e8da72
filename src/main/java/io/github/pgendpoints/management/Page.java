package io.github.pgendpoints.management;

import java.util.Map;

/**
 * What the management port answers.
 *
 * @param status of HTTP
 * @param type of the content
 * @param headers beside that
 */
record Page(int status, String type, String body, Map<String, String> headers) {
  static final String JSON = "application/json";
  static final String TEXT = "text/plain; charset=utf-8";

  static Page of(int status, String type, String body) {
    return new Page(status, type, body, Map.of());
  }
}
