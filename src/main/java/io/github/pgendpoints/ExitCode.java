package io.github.pgendpoints;

/** What the process ends with. After SIGTERM the JVM itself ends it with 143. */
final class ExitCode {
  /** The topology was verified, and the Endpoints are true to it. */
  static final int VERIFIED = 0;

  /**
   * Verification refused the topology, or could not be done; nothing was written, unless
   * ON_SPLIT_BRAIN=clear emptied the read-write Service.
   */
  static final int REFUSED = 1;

  /** The settings or the command line are wrong. */
  static final int USAGE = 2;

  /** The Kubernetes API could not be reached, or said no. */
  static final int KUBERNETES = 3;

  private ExitCode() {}
}
