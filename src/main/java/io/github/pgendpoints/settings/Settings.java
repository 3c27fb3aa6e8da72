package io.github.pgendpoints.settings;

import ch.qos.logback.classic.Level;
import io.github.pgendpoints.logging.Logging;
import io.github.pgendpoints.postgres.PostgresSettings;
import io.github.pgendpoints.topology.Node;
import java.time.Duration;
import java.util.List;

/**
 * Every setting, validated; it does not change after the start.
 *
 * @param nodes from PG_NODES; empty when that is not set
 * @param namespace null when NAMESPACE is not set
 * @param kubeconfig null when KUBECONFIG is not set
 * @param leaseName null when there is no election among replicas
 * @param state the ConfigMap that keeps what outlives the process; null when none does
 * @param managementPort null when it is off
 * @param jolokiaPort null when it is off
 * @param publishSlices whether EndpointSlices are written rather than Endpoints
 * @param allowLoopback whether loopback addresses may be published, which no Kubernetes accepts:
 *     for tests and the demo only
 * @param warnings what is allowed but probably not meant: one sentence each
 */
public record Settings(
    List<Node> nodes,
    String namespace,
    String rwService,
    String roService,
    PostgresSettings postgres,
    VerificationSettings verification,
    Duration probeInterval,
    Duration unstableProbeInterval,
    boolean publishSlices,
    Duration kubernetesTimeout,
    String kubeconfig,
    String portName,
    String leaseName,
    String state,
    Integer managementPort,
    Integer jolokiaPort,
    AlertSettings alerts,
    Level logLevel,
    Logging.Format logFormat,
    boolean allowLoopback,
    List<String> warnings) {}
