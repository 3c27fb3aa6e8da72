package io.github.pgendpoints.alert;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Severity;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an Event of an alert, so that {@code kubectl describe service} shows it. Without the rights
 * there is less to see, and one WARN. Used by one thread at a time.
 */
public final class ServiceEvents {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceEvents.class);
  private static final String COMPONENT = "postgres-endpoint-manager";
  private static final int FORBIDDEN = 403;

  /** What an API server takes. */
  private static final int MAX_MESSAGE = 1024;

  private static final Set<Kind> OF_STANDBYS =
      Set.of(Kind.STANDBY_LOST, Kind.STANDBY_LEFT_OUT, Kind.STANDBY_BACK);

  private final KubernetesClient client;
  private final KubernetesErrors errors;
  private final String instance;
  private final Map<String, String> uids = new HashMap<>();
  private boolean mayNotLook;
  private boolean mayNotTell;

  /**
   * @param instance who tells: the pod's name
   */
  public ServiceEvents(KubernetesClient client, KubernetesErrors errors, String instance) {
    this.client = client;
    this.errors = errors;
    this.instance = instance;
  }

  /** Makes the Event, of the Service that the alert is about. */
  public void tell(Alert alert) {
    if (mayNotTell) {
      return;
    }
    try {
      client.resource(event(alert)).create();
    } catch (KubernetesClientException e) {
      if (e.getCode() == FORBIDDEN) {
        mayNotTell = true;
        LOG.warn("alerts do not become Events: {}", errors.describe(e));
        return;
      }
      // What the client says itself may be the whole of the server's answer.
      throw new IllegalStateException(errors.describe(e), e);
    }
  }

  private Event event(Alert alert) {
    boolean ofStandbys =
        OF_STANDBYS.contains(alert.kind())
            || alert.ends() != null && OF_STANDBYS.contains(alert.ends())
            || alert.subject().equals(alert.cluster().readOnly());
    String service = ofStandbys ? alert.cluster().readOnly() : alert.cluster().readWrite();
    String message = alert.message();
    return new EventBuilder()
        .withNewMetadata()
        .withName(service + "." + UUID.randomUUID().toString().substring(0, 18))
        .withNamespace(alert.cluster().namespace())
        .endMetadata()
        .withNewInvolvedObject()
        .withApiVersion("v1")
        .withKind("Service")
        .withNamespace(alert.cluster().namespace())
        .withName(service)
        .withUid(uid(alert.cluster().namespace(), service))
        .endInvolvedObject()
        .withReason(alert.kind().toString())
        .withMessage(
            message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE - 1) + "…")
        .withType(alert.severity() == Severity.INFO ? "Normal" : "Warning")
        .withFirstTimestamp(alert.at().toString())
        .withLastTimestamp(alert.at().toString())
        .withCount(1)
        .withNewSource()
        .withComponent(COMPONENT)
        .endSource()
        .withReportingComponent(COMPONENT)
        .withReportingInstance(instance)
        .build();
  }

  /** Describe looks for it; null when there is no such Service, or we may not see it. */
  private String uid(String namespace, String service) {
    if (mayNotLook || uids.containsKey(service)) {
      return uids.get(service);
    }
    try {
      Service found = client.services().inNamespace(namespace).withName(service).get();
      if (found == null) {
        return null;
      }
      uids.put(service, found.getMetadata().getUid());
    } catch (KubernetesClientException e) {
      if (e.getCode() != FORBIDDEN) {
        throw e;
      }
      mayNotLook = true;
      LOG.warn("kubectl describe does not show the Events of the Services: {}", errors.describe(e));
    }
    return uids.get(service);
  }
}
