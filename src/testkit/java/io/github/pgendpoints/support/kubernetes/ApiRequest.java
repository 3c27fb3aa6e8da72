package io.github.pgendpoints.support.kubernetes;

import io.fabric8.mockwebserver.http.RecordedRequest;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request as the API server reads it.
 *
 * @param method the HTTP method
 * @param path the path with its query
 * @param contentType the media type of the body, or null
 * @param authorization the header Authorization, or null
 * @param userAgent the header User-Agent, or null; the part before the slash is the field manager
 * @param body the body as received, empty if there is none
 * @param target what the path names
 */
public record ApiRequest(
    String method,
    String path,
    String contentType,
    String authorization,
    String userAgent,
    String body,
    Target target) {

  private static final Pattern BY_NAME =
      Pattern.compile("(?:^|&)fieldSelector=metadata\\.name==?(?<name>[^&,]+)");

  /**
   * What a path names; the parts that the path does not have are null.
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

    /** Whether this target is a collection that contains the object. */
    boolean isCollectionOf(Target object) {
      return name == null
          && Objects.equals(group, object.group)
          && Objects.equals(resource, object.resource)
          && (namespace == null || namespace.equals(object.namespace));
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
        request.getHeader("User-Agent"),
        new String(request.getBody().getBytes(), StandardCharsets.UTF_8),
        Target.of(URI.create(request.getPath()).getPath()));
  }

  /** The RBAC verb of the request. */
  public String verb() {
    return switch (method) {
      case "POST" -> "create";
      case "PUT" -> "update";
      case "PATCH" -> "patch";
      case "DELETE" -> target.name() == null ? "deletecollection" : "delete";
      default -> isWatch() ? "watch" : target.name() == null ? "list" : "get";
    };
  }

  /** The name of the single object of a request: in the path or, for a list or watch, selector. */
  String nameForRbac() {
    String query = URI.create(path).getQuery();
    Matcher selector = BY_NAME.matcher(query == null ? "" : query);
    return selector.find() ? selector.group("name") : target.name();
  }

  /** The labels that a list or watch selects, each with its value. */
  Map<String, String> labels() {
    Map<String, String> labels = new TreeMap<>();
    String selector = query("labelSelector");
    if (selector != null && !selector.isEmpty()) {
      for (String label : selector.split(",")) {
        String[] pair = label.split("==?", 2);
        if (pair.length != 2 || pair[0].endsWith("!")) {
          throw ApiException.badRequest("the fake API server does not know " + label);
        }
        labels.put(pair[0], pair[1]);
      }
    }
    return labels;
  }

  /** Returns a parameter of the query; null if it is absent. */
  String query(String name) {
    String query = URI.create(path).getRawQuery();
    return Arrays.stream((query == null ? "" : query).split("&"))
        .filter(pair -> pair.startsWith(name + "="))
        .map(pair -> URLDecoder.decode(pair.substring(name.length() + 1), StandardCharsets.UTF_8))
        .findFirst()
        .orElse(null);
  }

  private boolean isWatch() {
    return "true".equals(query("watch"));
  }

  /** The method and the path: {@code PATCH /api/v1/namespaces/db/endpoints/postgres-rw}. */
  @Override
  public String toString() {
    return method + " " + path;
  }
}
