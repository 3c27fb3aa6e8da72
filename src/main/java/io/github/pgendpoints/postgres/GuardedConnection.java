package io.github.pgendpoints.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Wraps a connection of pgjdbc for HikariCP and the routes.
 *
 * <p>pgjdbc trusts the server: an answer that no PostgreSQL server sends can cause any exception.
 * The wrapper converts it to a SQLException, which concerns only this node. Any other exception
 * would end the whole cycle.
 */
final class GuardedConnection {
  private static final String PROTOCOL_VIOLATION = "08P01";

  private GuardedConnection() {}

  /** Wraps a connection that has just logged in. */
  static Connection connection(Connection connection) {
    return connection(connection, List.of(), List.of());
  }

  /**
   * Wraps a connection that has just logged in.
   *
   * @param first statements to send along with the first statement that is prepared
   * @param each statements to send along with each statement that is prepared
   */
  static Connection connection(Connection connection, List<String> first, List<String> each) {
    return wrap(Connection.class, new Target(connection, first, each));
  }

  /** An object of pgjdbc, and the statements that are to be, or were, sent along with it. */
  private static final class Target {
    private final Object object;
    private final List<String> each;
    private List<String> first;

    // The last statement, as the caller prepared it and as it was sent. Most callers repeat it.
    private Object asked;
    private String sent;

    private Target(Object object, List<String> first, List<String> each) {
      this.object = object;
      this.first = first;
      this.each = each;
    }

    private Object prepared(Method method, Object[] arguments) throws Throwable {
      List<String> along = new ArrayList<>(first);
      along.addAll(each);
      if (!first.isEmpty() || !arguments[0].equals(asked)) {
        asked = first.isEmpty() ? arguments[0] : null;
        sent = String.join(" ", along) + arguments[0];
        first = List.of();
      }
      arguments[0] = sent;
      return wrap(
          PreparedStatement.class, new Target(call(object, method, arguments), List.of(), along));
    }
  }

  private static <T> T wrap(Class<T> type, Target target) {
    return type.cast(
        Proxy.newProxyInstance(
            GuardedConnection.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object object = target.object;
              switch (method.getName()) {
                // HikariCP calls these two on the first connection of a pool. Each would be a round
                // trip, and HikariCP waits for and repeats one that hangs. The answers are known:
                // the connection has just logged in, and transaction.sql sets the isolation.
                case "isValid":
                  return true;
                case "getTransactionIsolation":
                  return Connection.TRANSACTION_READ_COMMITTED;
                // Camel calls this before it runs a statement, another round trip, and takes null
                // for no parameters. A PreparedStatement of pgjdbc returns its SQL as text.
                case "getParameterMetaData":
                  return object.toString().contains("?") ? invoke(object, method, arguments) : null;
                case "prepareStatement":
                  return target.prepared(method, arguments);
                case "execute":
                  return object instanceof PreparedStatement statement && arguments == null
                      ? lastResult(statement, target.each.size())
                      : invoke(object, method, arguments);
                case "executeQuery":
                  return object instanceof PreparedStatement statement && arguments == null
                      ? lastRows(statement, target.each.size())
                      : invoke(object, method, arguments);
                default:
                  return invoke(object, method, arguments);
              }
            }));
  }

  private static ResultSet lastRows(PreparedStatement statement, int skipped) throws SQLException {
    lastResult(statement, skipped);
    return wrap(ResultSet.class, new Target(statement.getResultSet(), List.of(), List.of()));
  }

  /** Skips the results of the statements that were sent along, which no caller expects. */
  private static boolean lastResult(PreparedStatement statement, int skipped) throws SQLException {
    try {
      boolean last = statement.execute();
      for (int i = 0; i < skipped; i++) {
        last = statement.getMoreResults();
      }
      return last;
    } catch (RuntimeException | Error e) {
      throw misunderstood(e);
    }
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    Object result = call(target, method, arguments);
    Class<?> type = method.getReturnType();
    return result != null && type.isInterface() && type.getPackageName().equals("java.sql")
        ? wrap(type, new Target(result, List.of(), List.of()))
        : result;
  }

  private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      Throwable failure = e.getCause();
      throw failure instanceof SQLException ? failure : misunderstood(failure);
    }
  }

  /** Converts what pgjdbc throws when it does not understand a server to a SQLException. */
  static SQLException misunderstood(Throwable failure) {
    return new SQLException(
        "the driver does not understand the server: " + failure, PROTOCOL_VIOLATION, failure);
  }
}
