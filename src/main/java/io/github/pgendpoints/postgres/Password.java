package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Node;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.SQLException;

/** The source of the password. Each login reads it, and toString never shows it. */
@FunctionalInterface
public interface Password {
  /**
   * Returns the password for a node.
   *
   * @return null if there is none
   * @throws SQLException if it cannot be read
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
        throw unreadable("PGPASSWORD_FILE", file, e);
      }
    };
  }

  /**
   * libpq's password file, read again each time. Its hosts are the names in the node list.
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
        // One character for each byte: libpq accepts comments in another encoding.
        return PassFile.password(
            Files.readAllLines(read, StandardCharsets.ISO_8859_1), node, settings);
      } catch (IOException e) {
        throw unreadable("PGPASSFILE", read, e);
      }
    };
  }

  private static SQLException unreadable(String setting, Path file, IOException e) {
    String why = e.getMessage();
    if (e instanceof NoSuchFileException) {
      why = "there is no such file";
    } else if (e instanceof AccessDeniedException) {
      why = "permission denied";
    } else if (e instanceof CharacterCodingException) {
      why = "it is not UTF-8";
    }
    // Invalid authorization: the server may be there, but no login is possible.
    return new SQLException("%s %s cannot be read: %s".formatted(setting, file, why), "28000", e);
  }
}
