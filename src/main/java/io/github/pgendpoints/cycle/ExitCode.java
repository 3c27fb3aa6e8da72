package io.github.pgendpoints.cycle;

/** What the process ends with. After SIGTERM the JVM itself ends it with 143. */
public final class ExitCode {
  /** The topology was verified, and the Endpoints are true to it. */
  static final int VERIFIED = 0;

  /**
   * Somebody has to act: verification refused the topology, or could not be done, and nothing was
   * written, but for the read-write Service that was emptied or put back; or it was verified, and
   * beside it is a server that must not be there.
   */
  public static final int REFUSED = 1;

  /** The settings or the command line are wrong, or no node is known. */
  public static final int USAGE = 2;

  /**
   * The Kubernetes API could not be reached, or refused a request; a Service is unusable; or
   * clients see other addresses than those written.
   */
  static final int KUBERNETES = 3;

  private ExitCode() {}
}
