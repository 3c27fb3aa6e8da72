package io.github.pgendpoints.cycle;

/** The exit codes of the process; {@code --help} describes them. */
public final class ExitCode {
  static final int VERIFIED = 0;

  public static final int REFUSED = 1;

  public static final int USAGE = 2;

  static final int KUBERNETES = 3;

  private ExitCode() {}
}
