package io.github.pgendpoints.publish;

/** The annotations this program keeps on the objects of both Services. */
public final class Annotations {
  /** The verified topology, with the name and in the format of the Python original. */
  public static final String LAST_TOPOLOGY = "postgres.discovery/last-topology";

  /** When the object was last written, ISO 8601 in UTC; also an annotation of the original. */
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

  /** Where the published timeline begins, an LSN; only while histories can be read. */
  public static final String BEGIN = "postgres.discovery/begin";

  /** Every {@code ip:port} of the published primary, the published one first. */
  public static final String ENTRIES = "postgres.discovery/entries";

  /** When the published primary started, in microseconds since 1970. */
  public static final String STARTED_AT = "postgres.discovery/started-at";

  /** The number of the generation, which increases when an operator overrules what is published. */
  public static final String GENERATION = "postgres.discovery/generation";

  /**
   * Set by an operator: {@code true} stops every write. It applies on objects of either Service: to
   * delete those of one does not end a pause that is also on the other.
   */
  public static final String PAUSED = "postgres.discovery/paused";

  private Annotations() {}
}
