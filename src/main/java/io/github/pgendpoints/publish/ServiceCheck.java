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

  /**
   * Checks the Service of a plan, in the first cycle and before each write, where the Role lets us.
   *
   * @throws UnusableServiceException when it does not exist, or has a selector
   */
  public void check(Plan plan) throws UnusableServiceException {
    if (!get.isWorthAsking() || plan.isUnchanged() && checked.contains(plan.service())) {
      return;
    }
    Service service;
    try {
      service = budget.within(() -> client.get(plan.service()));
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_FORBIDDEN) {
        throw e;
      }
      get.refused();
      conditions.reportDegradation(
          "the Role does not grant get on services: that the Services exist and fit is not checked");
      return;
    }
    if (service == null) {
      throw new UnusableServiceException(
          "Service %s does not exist in namespace %s: its Endpoints are not written"
              .formatted(plan.service(), namespace));
    }
    ServiceSpec spec = service.getSpec();
    if (spec != null && spec.getSelector() != null && !spec.getSelector().isEmpty()) {
      throw new UnusableServiceException(
          "Service %s has a selector, so Kubernetes itself writes its Endpoints: they are left alone"
              .formatted(plan.service()));
    }
    checked(plan, service);
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
