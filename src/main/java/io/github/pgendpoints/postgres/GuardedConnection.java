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
 * What pgjdbc gives us, as HikariCP and the routes get to see it.
 *
 * <p>pgjdbc trusts the server: an answer that is no PostgreSQL's ends in whatever Java throws then.
 * Here it becomes a SQLException, a matter of this node alone, since any other exception ends the
 * whole cycle.
 */
final class GuardedConnection {
  private static final String PROTOCOL_VIOLATION = "08P01";

  private GuardedConnection() {}

  /** A connection that has just logged in. */
  static Connection connection(Connection connection) {
    return connection(connection, List.of(), List.of());
  }

  /**
   * A connection that has just logged in.
   *
   * @param first statements that are sent along with the first one that is prepared
   * @param each statements that are sent along with each one that is prepared
   */
  static Connection connection(Connection connection, List<String> first, List<String> each) {
    return wrap(Connection.class, new Target(connection, first, each));
  }

  /** An object of pgjdbc, and the statements that are sent along, or were. */
  private static final class Target {
    private final Object object;
    private final List<String> each;
    private List<String> first;

    // What was prepared last, as it was asked for and as it was sent: mostly the same again.
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
                // HikariCP asks the first connection of a pool these two. Each would be a round
                // trip; when it hangs, HikariCP waits and tries again. We know: it has just logged
                // in, and transaction.sql sets the isolation.
                case "isValid":
                  return true;
                case "getTransactionIsolation":
                  return Connection.TRANSACTION_READ_COMMITTED;
                // Camel asks each statement before it runs it, a round trip too, and takes null for
                // none. A PreparedStatement of pgjdbc is its SQL as text.
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

  /** Skips the results of the statements that were sent along, which nobody expects. */
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

  /** What pgjdbc throws when it does not understand a server, as a matter of that server. */
  static SQLException misunderstood(Throwable failure) {
    return new SQLException(
        "the driver does not understand the server: " + failure, PROTOCOL_VIOLATION, failure);
  }
}
