package io.github.pgendpoints.publish;

import java.util.List;

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

  /** The PG_NODES entry of the published primary. */
  public static final String PRIMARY = "postgres.discovery/primary";

  /** The system identifier of the published primary, in decimal. */
  public static final String SYSTEM_IDENTIFIER = "postgres.discovery/system-identifier";

  /** The timeline of the published primary, in decimal. */
  public static final String TIMELINE = "postgres.discovery/timeline";

  /** Set by people, on the read-write Endpoints: {@code true} stops every write. */
  public static final String PAUSED = "postgres.discovery/paused";

  /** All of them: a cycle's result is dropped when one changed while it probed. */
  static final List<String> ALL =
      List.of(LAST_TOPOLOGY, LAST_UPDATE, NODES, PRIMARY, SYSTEM_IDENTIFIER, TIMELINE, PAUSED);

  private Annotations() {}
}
