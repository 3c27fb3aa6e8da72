package io.github.pgendpoints.alert;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Severity;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates an Event for an alert, so that {@code kubectl describe service} shows it. If a right is
 * missing, it shows less, and one WARN is logged. Used by one thread at a time.
 */
public final class ServiceEvents {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceEvents.class);
  private static final String COMPONENT = "postgres-endpoint-manager";

  /** The longest message that an API server accepts. */
  private static final int MAX_MESSAGE = 1024;

  private static final Set<Kind> OF_STANDBYS =
      Set.of(Kind.STANDBY_LOST, Kind.STANDBY_LEFT_OUT, Kind.STANDBY_BACK);

  private final KubernetesClient client;
  private final KubernetesErrors errors;
  private final String instance;

  /** The rights in the namespace of each cluster, which other Roles may grant. */
  private final Map<Alert.Cluster, ApiRights> rights = new ConcurrentHashMap<>();

  /**
   * @param instance the reporter: the pod's name
   */
  public ServiceEvents(KubernetesClient client, KubernetesErrors errors, String instance) {
    this.client = client;
    this.errors = errors;
    this.instance = instance;
  }

  /** Creates an Event for the Service that the alert is about. */
  public void emit(Alert alert) {
    try {
      rights(alert.cluster())
          .ask(ApiRight.CREATE_EVENTS, () -> client.resource(event(alert)).create());
    } catch (KubernetesClientException e) {
      // The client's own message may be the whole response of the server.
      throw new IllegalStateException(errors.describe(e), e);
    }
  }

  /**
   * Creates an Event for a sink that is left out. It belongs to the read-write Service, where an
   * operator who gets no alerts may find it. Its name depends only on the message, so that repeated
   * runs of --once create one Event. A failure is only logged at DEBUG: the fault itself is logged.
   */
  public void reportFault(Alert.Cluster cluster, String message) {
    try {
      String service = cluster.readWrite();
      String name = "%s.sink-%08x".formatted(service, message.hashCode());
      String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
      client
          .resource(event(cluster, service, name, "SinkLeftOut", message, "Warning", now))
          .create();
    } catch (KubernetesClientException e) {
      LOG.debug("no Event of a sink that is left out", e);
    }
  }

  private Event event(Alert alert) {
    boolean ofStandbys =
        OF_STANDBYS.contains(alert.kind())
            || alert.ends() != null && OF_STANDBYS.contains(alert.ends())
            || alert.subject().equals(alert.cluster().readOnly());
    String service = ofStandbys ? alert.cluster().readOnly() : alert.cluster().readWrite();
    return event(
        alert.cluster(),
        service,
        service + "." + UUID.randomUUID().toString().substring(0, 18),
        alert.kind().toString(),
        alert.message(),
        alert.severity() == Severity.INFO ? "Normal" : "Warning",
        alert.at().toString());
  }

  private Event event(
      Alert.Cluster cluster,
      String service,
      String name,
      String reason,
      String message,
      String type,
      String at) {
    return new EventBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.namespace())
        .endMetadata()
        .withNewInvolvedObject()
        .withApiVersion("v1")
        .withKind("Service")
        .withNamespace(cluster.namespace())
        .withName(service)
        .withUid(uid(cluster, service))
        .endInvolvedObject()
        .withReason(reason)
        .withMessage(
            message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…")
        .withType(type)
        .withFirstTimestamp(at)
        .withLastTimestamp(at)
        .withCount(1)
        .withNewSource()
        .withComponent(COMPONENT)
        .endSource()
        .withReportingComponent(COMPONENT)
        .withReportingInstance(instance)
        .build();
  }

  /** The uid, by which describe finds Events; null if the Service is missing or unreadable. */
  private String uid(Alert.Cluster cluster, String service) {
    // Each time: a Service that is deleted and created again has another uid.
    return rights(cluster)
        .ask(
            ApiRight.DESCRIBE_EVENTS,
            () -> client.services().inNamespace(cluster.namespace()).withName(service).get())
        .map(found -> found.getMetadata().getUid())
        .orElse(null);
  }

  private ApiRights rights(Alert.Cluster cluster) {
    return rights.computeIfAbsent(
        cluster,
        one ->
            new ApiRights(
                List.of(one.readWrite(), one.readOnly()), null, LOG::warn, System::nanoTime));
  }
}
