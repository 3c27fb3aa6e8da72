package io.github.pgendpoints.alert;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A right that the program can do without: what does not work if the Role lacks it, and the rules
 * that grant it. If any other right is missing, the request that needs it fails.
 */
public enum ApiRight {
  /** Includes list, since an informer lists before it watches. */
  WATCH_ENDPOINTS(
      "",
      "endpoints",
      "list, watch",
      "",
      "changes by other writers are found at the next read, not immediately"),
  WATCH_SLICES(
      "discovery.k8s.io",
      "endpointslices",
      "list, watch",
      "",
      "changes by other writers are found at the next read, not immediately"),
  LIST_SLICES(
      "discovery.k8s.io",
      "endpointslices",
      "list",
      "",
      "what clients see is not compared with what is written, and slices that PUBLISH=endpointslices left are not found"),
  GET_SERVICES("", "services", "get", "", "that the Services exist and fit is not checked"),
  DESCRIBE_EVENTS(
      "", "services", "get", "", "kubectl describe does not show the Events of the Services"),
  CREATE_EVENTS("", "events", "", "create", "alerts do not become Events"),
  LEASE(
      "coordination.k8s.io",
      "leases",
      "get, list, watch, patch",
      "create",
      "no election, each replica writes"),
  WATCH_LEASE(
      "coordination.k8s.io",
      "leases",
      "list, watch",
      "",
      "a dead leader is replaced up to a second later"),
  STATE(
      "",
      "configmaps",
      "get, patch",
      "create",
      "only this process remembers a split brain and the published line");

  private static final String RULE = "apiGroups [\"%s\"], resources [%s], %sverbs [%s]";

  private final String group;
  private final String resource;

  /** Verbs that a rule can limit to names; {@link #ofAll} has those that it cannot. */
  private final String ofNamed;

  private final String ofAll;
  private final String consequence;

  ApiRight(String group, String resource, String ofNamed, String ofAll, String consequence) {
    this.group = group;
    this.resource = resource;
    this.ofNamed = ofNamed;
    this.ofAll = ofAll;
    this.consequence = consequence;
  }

  /**
   * Describes the missing right, its consequence, and the rules to add.
   *
   * @param names of the objects; empty if Kubernetes cannot limit the right to names
   * @return one sentence, for people
   */
  public String missing(List<String> names) {
    List<String> rules = new ArrayList<>();
    if (!ofNamed.isEmpty()) {
      String named = String.join(", ", names);
      String only = named.isEmpty() ? "" : "resourceNames [%s], ".formatted(named);
      rules.add(RULE.formatted(group, resource, only, ofNamed));
    }
    if (!ofAll.isEmpty()) {
      rules.add(RULE.formatted(group, resource, "", ofAll));
    }
    return "the Role does not grant %s: %s; add to the Role: %s"
        .formatted(what(names), consequence, String.join("; and ", rules));
  }

  /**
   * Describes why a request was refused (403), and the consequence: the Role does not grant it, or
   * a quota or an admission webhook forbids it.
   *
   * @param names of the objects; empty if Kubernetes cannot limit the right to names
   * @return one sentence, for people
   */
  public String refused(List<String> names, KubernetesClientException refusal) {
    String why = KubernetesErrors.otherThanTheRole(refusal);
    return why == null
        ? missing(names)
        : "the Kubernetes API refuses %s: %s; %s".formatted(what(names), why, consequence);
  }

  private String what(List<String> names) {
    return "%s on %s%s"
        .formatted(
            Stream.of(ofNamed, ofAll)
                .filter(verbs -> !verbs.isEmpty())
                .collect(Collectors.joining(", ")),
            resource,
            names.isEmpty() ? "" : " " + String.join(", ", names));
  }
}
