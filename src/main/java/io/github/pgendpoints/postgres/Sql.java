package io.github.pgendpoints.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The queries beside the routes, in the folder sql of the class path. */
final class Sql {
  private Sql() {}

  /**
   * A query as text.
   *
   * @param name without {@code .sql}
   */
  static String named(String name) {
    try (InputStream file = Sql.class.getResourceAsStream("/sql/" + name + ".sql")) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
