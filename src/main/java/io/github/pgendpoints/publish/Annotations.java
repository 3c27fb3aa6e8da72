package io.github.pgendpoints.publish;

/** The annotations this program keeps on both Endpoints. */
public final class Annotations {
  /** The verified topology; the Python original's own name and format. */
  public static final String LAST_TOPOLOGY = "postgres.discovery/last-topology";

  /** When the object was last written, ISO 8601 in UTC; the original's own. */
  public static final String LAST_UPDATE = "postgres.discovery/last-update";

  /**
   * Every known node, in PG_NODES's format, so that a run without PG_NODES does not forget one that
   * was down.
   */
  public static final String NODES = "postgres.discovery/nodes";

  private Annotations() {}
}
