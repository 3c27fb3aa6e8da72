package io.github.pgendpoints.postgres;

import java.time.Duration;
import java.util.List;

/** The settings that the queries rely on: the statements of sql/session.sql and transaction.sql. */
final class SessionSettings {
  /** Without it, queries fail on a standby whose transactions are serializable by default. */
  static final String ISOLATION;

  private static final List<String> SESSION = statements("session");
  private static final List<String> TRANSACTION = statements("transaction");

  static {
    ISOLATION = TRANSACTION.get(0);
  }

  private SessionSettings() {}

  private static List<String> statements(String file) {
    return Sql.named(file)
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith("--"))
        .toList();
  }

  /**
   * Returns the statements to send after a login.
   *
   * @param version the major version of the server, such as 15
   */
  static List<String> ofSession(int version) {
    return SESSION.stream()
        .filter(statement -> version >= 14 || !statement.contains(" idle_session_timeout "))
        .filter(statement -> version >= 17 || !statement.contains(" transaction_timeout "))
        .toList();
  }

  /**
   * Returns the settings before a query that failed with the others. They need no right that can be
   * revoked. The server logs a WARNING for each, since the transaction is not explicit.
   */
  static String undeniable(Duration statementTimeout) {
    return "%s SET LOCAL statement_timeout = %d; "
        .formatted(ISOLATION, statementTimeout.toMillis());
  }

  /** Returns the statements to send before each query. */
  static List<String> ofTransaction(Duration statementTimeout) {
    return TRANSACTION.stream()
        .map(line -> line.replace("%d", String.valueOf(statementTimeout.toMillis())))
        .toList();
  }
}
