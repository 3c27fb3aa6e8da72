package io.github.pgendpoints.cycle;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.kubernetes.election.NotLeaderException;
import io.github.pgendpoints.logging.Causes;
import io.github.pgendpoints.publish.NoNodesException;
import io.github.pgendpoints.publish.OutdatedTopologyException;
import io.github.pgendpoints.publish.UnusableServiceException;
import java.net.HttpURLConnection;

/** How a cycle ends. */
public enum Outcome {
  /** The topology is verified, and the Services follow it. */
  VERIFIED(ExitCode.VERIFIED),
  /** A rule refused the topology, or there is a server that must not be there. */
  REFUSED(ExitCode.REFUSED),
  /** A fault of the routes or of the program ended the cycle: nothing is decided. */
  FAILED(ExitCode.REFUSED),
  /** No node is known. */
  NO_NODES(ExitCode.USAGE),
  /** The Kubernetes API was unreachable or refused a request, or a Service is unusable. */
  KUBERNETES(ExitCode.KUBERNETES),
  /** The topology is verified, but clients see other addresses than those written. */
  MISMATCH(ExitCode.KUBERNETES),
  /** Another writer was first: the next cycle starts over. */
  CONFLICT(ExitCode.KUBERNETES),
  /** Another replica is the leader now, and its decision applies. */
  NOT_LEADER(ExitCode.VERIFIED);

  private final int exitCode;

  Outcome(int exitCode) {
    this.exitCode = exitCode;
  }

  /** The exit code of a run of one cycle with this outcome. */
  public int exitCode() {
    return exitCode;
  }

  /** Returns the outcome of a cycle with this failure. */
  static Outcome of(Throwable failure) {
    Throwable cause = cause(failure);
    if (cause instanceof OutdatedTopologyException) {
      return CONFLICT;
    }
    if (cause instanceof KubernetesClientException api) {
      return api.getCode() == HttpURLConnection.HTTP_CONFLICT ? CONFLICT : KUBERNETES;
    }
    if (cause instanceof UnusableServiceException) {
      return KUBERNETES;
    }
    if (cause instanceof NotLeaderException) {
      return NOT_LEADER;
    }
    if (cause instanceof UnsavedStateException) {
      return REFUSED;
    }
    return cause instanceof NoNodesException ? NO_NODES : FAILED;
  }

  /** Returns the cause that shows what happened: Camel wraps the exception of a step. */
  static Throwable cause(Throwable failure) {
    return Causes.of(failure)
        .filter(
            cause ->
                cause instanceof OutdatedTopologyException
                    || cause instanceof KubernetesClientException
                    || cause instanceof UnusableServiceException
                    || cause instanceof NotLeaderException
                    || cause instanceof NoNodesException
                    || cause instanceof UnsavedStateException)
        .findFirst()
        .orElse(failure);
  }
}
