package io.github.pgendpoints.kubernetes;

import org.apache.camel.Exchange;

/**
 * Decides whether a route may change Endpoints or EndpointSlices. The components call it before
 * each request that changes them, and before each retry, in any route. They find it in Camel's
 * registry; without one, they write.
 */
@FunctionalInterface
public interface WriteGuard {
  /**
   * Returns normally if the write may be sent.
   *
   * @param exchange the exchange that is about to write
   * @throws Exception with the reason if the write may not be sent
   */
  void check(Exchange exchange) throws Exception;
}
