package io.github.pgendpoints.postgres;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The settings that a session of ours relies on: the statements of sql/session.sql. */
final class SessionSettings {
  private static final String SINCE = "-- since ";
  private static final List<String> LINES = Sql.named("session").lines().toList();

  /** The share of a probe that one statement may take. */
  private static final int SHARE = 4;

  private SessionSettings() {}

  /** The longest time that a statement may take, in a probe of this length. */
  static Duration statementTimeout(Duration connectTimeout) {
    return connectTimeout.dividedBy(SHARE);
  }

  /**
   * The statements for a server, in their order.
   *
   * @param version major version of the server, such as 15
   */
  static List<String> statements(int version, Duration statementTimeout) {
    List<String> statements = new ArrayList<>();
    int since = 0;
    for (String line : LINES) {
      if (line.startsWith(SINCE)) {
        since = Integer.parseInt(line.substring(SINCE.length()).strip());
      } else if (!line.startsWith("--") && !line.isBlank()) {
        if (since <= version) {
          statements.add(line.replace("%d", String.valueOf(statementTimeout.toMillis())));
        }
        since = 0;
      }
    }
    return statements;
  }
}
