package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.kubernetes.ObjectClient;
import java.net.HttpURLConnection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * When to look at the Services, and what is odd about them. Without the Service nothing routes to
 * its Endpoints, and Kubernetes deletes them when its controllers start.
 */
public final class ServiceCheck {
  private final ObjectClient<Service> client;
  private final String namespace;
  private final String portName;
  private final Conditions conditions;
  private final ApiBudget budget;
  private final Set<String> checked = new HashSet<>();
  private final Grant get;

  /**
   * @param namespace of the Services
   * @param portName the name of our Endpoints' port, which must be the Service's own
   * @param conditions told what is odd
   * @param nanoTime as {@link System#nanoTime}
   */
  public ServiceCheck(
      ObjectClient<Service> client,
      String namespace,
      String portName,
      Conditions conditions,
      ApiBudget budget,
      LongSupplier nanoTime) {
    this.client = client;
    this.namespace = namespace;
    this.get = new Grant(nanoTime);
    this.portName = portName;
    this.conditions = conditions;
    this.budget = budget;
  }

  /** What keeps a Service from routing to its Endpoints. */
  enum Problem {
    MISSING("Service %1$s does not exist in namespace %2$s"),
    SELECTOR(
        "Service %1$s has a selector, so Kubernetes does not mirror its Endpoints; kubectl patch service %1$s -n %2$s --type=json -p='[{\"op\":\"remove\",\"path\":\"/spec/selector\"}]'");

    private final String description;

    Problem(String description) {
      this.description = description;
    }

    String describe(String service, String namespace) {
      return description.formatted(service, namespace);
    }

    private static Problem of(Service service) {
      if (service == null) {
        return MISSING;
      }
      ServiceSpec spec = service.getSpec();
      boolean selects = spec != null && spec.getSelector() != null && !spec.getSelector().isEmpty();
      return selects ? SELECTOR : null;
    }
  }

  /**
   * Checks the Service of a plan, in the first cycle and before each write, where the Role lets us.
   *
   * @throws UnusableServiceException when it does not exist, or has a selector
   */
  public void check(Plan plan) throws UnusableServiceException {
    if (plan.isUnchanged() && checked.contains(plan.service())) {
      return;
    }
    Optional<Found> found = find(plan.service());
    if (found.isEmpty()) {
      return;
    }
    Problem problem = Problem.of(found.get().service());
    if (problem == Problem.MISSING) {
      throw new UnusableServiceException(
          plan.service(),
          "Service %s does not exist in namespace %s: its Endpoints are not written"
              .formatted(plan.service(), namespace));
    }
    if (problem == Problem.SELECTOR) {
      throw new UnusableServiceException(
          plan.service(),
          "Service %s has a selector, so Kubernetes itself writes its Endpoints: they are left alone"
              .formatted(plan.service()));
    }
    checked(plan, found.get().service());
  }

  /**
   * Reads a Service for the reason why its clients see none of its Endpoints.
   *
   * @return null if there is no problem, or the Role does not let us read the Service
   */
  Problem problem(String service) {
    return find(service).map(found -> Problem.of(found.service())).orElse(null);
  }

  /**
   * The answer to a read.
   *
   * @param service null if it does not exist
   */
  private record Found(Service service) {}

  /** Empty where the Role does not let us. */
  private Optional<Found> find(String service) {
    if (!get.isWorthAsking()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Found(budget.within(() -> client.get(service))));
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
        throw e;
      }
      get.refused();
      conditions.reportDegradation(
          "the Role does not grant get on services: that the Services exist and fit is not checked");
      return Optional.empty();
    }
  }

  /** Notes a Service that is there and without a selector; warns once of a port by another name. */
  private void checked(Plan plan, Service service) {
    Set<String> names =
        Optional.ofNullable(service.getSpec()).map(ServiceSpec::getPorts).orElse(List.of()).stream()
            .map(ServicePort::getName)
            .map(name -> Objects.requireNonNullElse(name, ""))
            .collect(Collectors.toSet());
    checked.add(plan.service());
    if (!names.isEmpty() && !names.contains(portName)) {
      conditions.reportDegradation(
          "Service %s names its port %s, its Endpoints will name it '%s': nothing is routed until PORT_NAME is the Service's own"
              .formatted(
                  plan.service(),
                  names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", ")),
                  portName));
    }
  }
}
