package io.github.pgendpoints;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * What this program was built from.
 *
 * @param version the version of the program, such as {@code 0.1.0}
 * @param revision the commit of the sources, or {@code unknown} if the build did not name it
 */
public record Build(String version, String revision) {
  private static final String FILE = "build.properties";

  /**
   * Returns the build of the running program.
   *
   * @throws IllegalStateException if the program was packaged without the file that names it
   */
  public static Build current() {
    Properties properties = new Properties();
    try (InputStream in = Build.class.getResourceAsStream(FILE)) {
      if (in == null) {
        throw new IllegalStateException("the program has no " + FILE);
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Build(properties.getProperty("version"), properties.getProperty("revision"));
  }

  /** Returns the version and, if it is known, the first 12 digits of the revision. */
  @Override
  public String toString() {
    return revision.equals("unknown")
        ? version
        : version + " (" + revision.substring(0, Math.min(12, revision.length())) + ")";
  }
}
