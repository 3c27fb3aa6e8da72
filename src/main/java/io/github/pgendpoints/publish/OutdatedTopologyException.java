package io.github.pgendpoints.publish;

/**
 * Somebody else published while this cycle probed: its result may be the older one, so it is
 * dropped and the nodes are probed afresh.
 */
public final class OutdatedTopologyException extends Exception {
  /** Says whose Endpoints, or EndpointSlices, were changed. */
  public OutdatedTopologyException(String service) {
    super("the Endpoints " + service + " were changed while the nodes were probed");
  }
}
