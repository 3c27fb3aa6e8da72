package io.github.pgendpoints.kubernetes;

import org.apache.camel.Exchange;

/**
 * Looked at before each request that changes Endpoints or EndpointSlices, and before each new try
 * of one, whichever route sends it. The components find it in Camel's registry; without one they
 * write.
 */
@FunctionalInterface
public interface WriteGuard {
  /**
   * Goes on when the write may be sent.
   *
   * @param exchange that is about to write
   * @throws Exception saying why it may not
   */
  void check(Exchange exchange) throws Exception;
}
