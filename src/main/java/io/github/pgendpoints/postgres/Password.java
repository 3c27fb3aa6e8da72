package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;

/** Where the password comes from. It is asked at each login, and never shown by toString. */
@FunctionalInterface
public interface Password {
  /**
   * The password for a node.
   *
   * @return null when there is none
   * @throws SQLException when it cannot be read
   */
  String of(Node node, PostgresSettings settings) throws SQLException;

  /** A password that does not change. */
  static Password fixed(String password) {
    return (node, settings) -> password;
  }

  /**
   * The content of a file without its last line break, read again each time, since a mounted Secret
   * changes under a running pod.
   */
  static Password file(Path file) {
    return (node, settings) -> {
      try {
        return Files.readString(file).replaceFirst("\\R$", "");
      } catch (IOException e) {
        // 28000, invalid authorization: the server is there, but we cannot log in.
        throw new SQLException("PGPASSWORD_FILE " + file + " cannot be read", "28000", e);
      }
    };
  }

  /**
   * libpq's password file, read again each time, by the name written in the node list.
   *
   * @param file null for {@code ~/.pgpass}, which need not exist
   */
  static Password passfile(Path file) {
    return (node, settings) -> {
      Path read = file == null ? Path.of(System.getProperty("user.home"), ".pgpass") : file;
      if (file == null && !Files.isReadable(read)) {
        return null;
      }
      try {
        return PassFile.password(Files.readAllLines(read), node, settings);
      } catch (IOException e) {
        throw new SQLException("PGPASSFILE " + read + " cannot be read", "28000", e);
      }
    };
  }
}
