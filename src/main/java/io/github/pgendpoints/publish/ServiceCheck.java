package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import io.github.pgendpoints.alert.Conditions;
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
  private final String portName;
  private final Conditions conditions;
  private final Set<String> checked = new HashSet<>();
  private final Grant get;

  /**
   * @param portName the name of our Endpoints' port, which must be the Service's own
   * @param conditions told what is odd
   * @param nanoTime as {@link System#nanoTime}
   */
  public ServiceCheck(String portName, Conditions conditions, LongSupplier nanoTime) {
    this.get = new Grant(nanoTime);
    this.portName = portName;
    this.conditions = conditions;
  }

  /** Whether to look: in the first cycle and before each write, where the Role lets us. */
  public boolean isCheckDue(Plan plan) {
    return get.isWorthAsking() && !(plan.isUnchanged() && checked.contains(plan.service()));
  }

  /** Notes a Service that is there and without a selector; warns once of a port by another name. */
  public void checked(Plan plan, Service service) {
    Set<String> names =
        Optional.ofNullable(service.getSpec()).map(ServiceSpec::getPorts).orElse(List.of()).stream()
            .map(ServicePort::getName)
            .map(name -> Objects.requireNonNullElse(name, ""))
            .collect(Collectors.toSet());
    checked.add(plan.service());
    if (!names.isEmpty() && !names.contains(portName)) {
      conditions.degraded(
          "Service %s names its port %s, its Endpoints will name it '%s': nothing is routed until PORT_NAME is the Service's own"
              .formatted(
                  plan.service(),
                  names.stream().map(name -> "'" + name + "'").collect(Collectors.joining(", ")),
                  portName));
    }
  }

  /** Notes that the Role does not let us look. */
  public void notGranted() {
    get.refused();
    conditions.degraded(
        "the Role does not grant get on services: that the Services exist and fit is not checked");
  }
}
