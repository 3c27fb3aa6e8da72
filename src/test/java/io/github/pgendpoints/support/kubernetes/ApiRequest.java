package io.github.pgendpoints.support.kubernetes;

import io.fabric8.mockwebserver.http.RecordedRequest;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request as the API server reads it.
 *
 * @param method the HTTP method
 * @param path the path with its query
 * @param contentType of the body, or null
 * @param authorization the header of that name, or null
 * @param body as it came over the wire, empty when there was none
 * @param target what the path names
 */
public record ApiRequest(
    String method,
    String path,
    String contentType,
    String authorization,
    String body,
    Target target) {

  private static final Pattern BY_NAME =
      Pattern.compile("(?:^|&)fieldSelector=metadata\\.name==?(?<name>[^&,]+)");

  /**
   * What a path names; the parts that it does not have are null.
   *
   * @param path without the query
   * @param group the API group, empty for the core one, null when this is not an API path
   * @param namespace of a namespaced request
   * @param resource the plural, such as {@code endpoints}
   * @param name of a single object
   * @param subresource such as {@code status}
   */
  public record Target(
      String path,
      String group,
      String namespace,
      String resource,
      String name,
      String subresource) {

    private static final Pattern PATH =
        Pattern.compile(
            "/(?:api|apis/(?<group>[^/]+))/v[^/]+(?:/namespaces/(?<namespace>[^/]+))?"
                + "/(?<resource>[^/]+)(?:/(?<name>[^/]+)(?:/(?<subresource>[^/]+))?)?");

    static Target of(String path) {
      Matcher matcher = PATH.matcher(path);
      if (!matcher.matches()) {
        return new Target(path, null, null, null, null, null);
      }
      String group = matcher.group("group") == null ? "" : matcher.group("group");
      return new Target(
          path,
          group,
          matcher.group("namespace"),
          matcher.group("resource"),
          matcher.group("name"),
          matcher.group("subresource"));
    }

    boolean isSlices() {
      return "discovery.k8s.io".equals(group) && "endpointslices".equals(resource);
    }

    boolean isCore(String plural) {
      return "".equals(group) && plural.equals(resource) && subresource == null;
    }
  }

  static ApiRequest of(RecordedRequest request) {
    return new ApiRequest(
        request.getMethod(),
        request.getPath(),
        request.getHeader("Content-Type"),
        request.getHeader("Authorization"),
        new String(request.getBody().getBytes(), StandardCharsets.UTF_8),
        Target.of(URI.create(request.getPath()).getPath()));
  }

  /** The verb that RBAC knows the request by. */
  public String verb() {
    return switch (method) {
      case "POST" -> "create";
      case "PUT" -> "update";
      case "PATCH" -> "patch";
      case "DELETE" -> target.name() == null ? "deletecollection" : "delete";
      default -> isWatch() ? "watch" : target.name() == null ? "list" : "get";
    };
  }

  /** The one object a request is about: by its path or, of a list or watch, by its selector. */
  String nameForRbac() {
    String query = URI.create(path).getQuery();
    Matcher selector = BY_NAME.matcher(query == null ? "" : query);
    return selector.find() ? selector.group("name") : target.name();
  }

  private boolean isWatch() {
    String query = URI.create(path).getQuery();
    return query != null && ("&" + query + "&").matches(".*&watch=true&.*");
  }

  /** The method and the path: {@code PATCH /api/v1/namespaces/db/endpoints/postgres-rw}. */
  @Override
  public String toString() {
    return method + " " + path;
  }
}
