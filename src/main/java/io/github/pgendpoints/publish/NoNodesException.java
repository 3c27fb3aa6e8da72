package io.github.pgendpoints.publish;

/** No node is known: neither from PG_NODES nor from what is stored. */
public final class NoNodesException extends Exception {
  NoNodesException(String message) {
    super(message);
  }
}
