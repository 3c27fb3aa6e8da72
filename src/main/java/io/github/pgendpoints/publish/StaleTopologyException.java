package io.github.pgendpoints.publish;

/** The result of a cycle must no longer be written: the process was held up. */
public final class StaleTopologyException extends OutdatedTopologyException {
  StaleTopologyException(String headline, String details) {
    super(headline, details);
  }
}
