package io.github.pgendpoints.support.kubernetes;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.StatusCause;
import java.util.List;
import java.util.stream.Collectors;

/** A rejection, with the Status that kube-apiserver returns in that case, word for word. */
final class ApiException extends RuntimeException {

  private final transient Status status;

  private ApiException(StatusBuilder status) {
    this.status = status.withKind("Status").withApiVersion("v1").withStatus("Failure").build();
  }

  Status status() {
    return status;
  }

  static ApiException badRequest(String message) {
    return new ApiException(status(400, "BadRequest", message));
  }

  static ApiException unauthorized() {
    return new ApiException(status(401, "Unauthorized", "Unauthorized"));
  }

  static ApiException forbidden(String user, ApiRequest request) {
    ApiRequest.Target target = request.target();
    String name = request.nameForRbac();
    String object = name == null ? "" : " \"%s\"".formatted(name);
    String scope =
        target.namespace() == null
            ? "at the cluster scope"
            : "in the namespace \"%s\"".formatted(target.namespace());
    String message =
        "%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\" %s"
            .formatted(
                target.resource(),
                object,
                user,
                request.verb(),
                target.resource(),
                target.group(),
                scope);
    return about(403, "Forbidden", message, target.resource(), name);
  }

  static ApiException notFound(String resource, String name) {
    String message = "%s \"%s\" not found".formatted(resource, name);
    return about(404, "NotFound", message, resource, name);
  }

  static ApiException noSuchPath() {
    return new ApiException(
        status(404, "NotFound", "the server could not find the requested resource"));
  }

  static ApiException alreadyExists(String resource, String name) {
    String message = "%s \"%s\" already exists".formatted(resource, name);
    return about(409, "AlreadyExists", message, resource, name);
  }

  static ApiException conflict(String resource, String name) {
    String message =
        ("Operation cannot be fulfilled on %s \"%s\": the object has been modified;"
                + " please apply your changes to the latest version and try again")
            .formatted(resource, name);
    return about(409, "Conflict", message, resource, name);
  }

  /** For a watch whose first or next event is no longer in the history. */
  static ApiException gone(String message) {
    return new ApiException(status(410, "Expired", message));
  }

  static ApiException unsupportedMediaType(String contentType) {
    String message = "the fake API server does not know the patch type %s".formatted(contentType);
    return new ApiException(status(415, "UnsupportedMediaType", message));
  }

  static ApiException invalid(String kind, String name, List<StatusCause> causes) {
    String faults =
        causes.stream()
            .map(cause -> cause.getField() + ": " + cause.getMessage())
            .collect(Collectors.joining(", "));
    String message =
        "%s \"%s\" is invalid: %s"
            .formatted(kind, name, causes.size() == 1 ? faults : "[" + faults + "]");
    return new ApiException(
        status(422, "Invalid", message)
            .withNewDetails()
            .withKind(kind)
            .withName(name)
            .withCauses(causes)
            .endDetails());
  }

  /** For a JSON patch that cannot be applied: the message names neither object nor reason. */
  static ApiException invalidPatch() {
    return new ApiException(
        status(422, "Invalid", "the server rejected our request due to an error in our request"));
  }

  /**
   * A failure of the server, not of the request.
   *
   * @param retryAfter in seconds; null if the server returns none
   */
  static ApiException injected(int code, Integer retryAfter) {
    StatusBuilder status =
        switch (code) {
          case 429 -> status(code, "TooManyRequests", "Too many requests, please try again later.");
          case 500 ->
              status(code, "InternalError", "Internal error occurred: by order of the test");
          case 503 ->
              status(
                  code,
                  "ServiceUnavailable",
                  "the server is currently unable to handle the request");
          case 504 ->
              status(
                  code, "Timeout", "Timeout: request did not complete within the allotted timeout");
          default -> status(code, "Unknown", "by order of the test");
        };
    return new ApiException(
        retryAfter == null
            ? status
            : status.withNewDetails().withRetryAfterSeconds(retryAfter).endDetails());
  }

  /** A failure of the server itself, or of a test's hook in it. */
  static ApiException internal(String cause) {
    return new ApiException(status(500, "InternalError", "Internal error occurred: " + cause));
  }

  private static ApiException about(
      int code, String reason, String message, String resource, String name) {
    return new ApiException(
        status(code, reason, message)
            .withNewDetails()
            .withKind(resource)
            .withName(name)
            .endDetails());
  }

  private static StatusBuilder status(int code, String reason, String message) {
    return new StatusBuilder().withCode(code).withReason(reason).withMessage(message);
  }
}
