package io.github.pgendpoints.cycle;

/** The exit codes of the process. After SIGTERM, the JVM itself exits with 143. */
public final class ExitCode {
  /** The topology was verified, and the Endpoints match it. */
  static final int VERIFIED = 0;

  /**
   * An operator must act. Verification refused the topology or failed, and nothing was written,
   * except that the read-write Service may have been emptied or repaired. Or the topology was
   * verified, but there is a server that must not be there.
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
