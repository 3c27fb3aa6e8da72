package io.github.pgendpoints.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * What pgjdbc gives us, as HikariCP and the routes get to see it.
 *
 * <p>pgjdbc trusts the server: an answer that is no PostgreSQL's ends in whatever Java throws then.
 * Here it becomes a SQLException, a matter of this node alone, since any other exception ends the
 * whole cycle.
 */
final class Distrusted {
  private static final String PROTOCOL_VIOLATION = "08P01";

  private Distrusted() {}

  /** A connection that has just logged in. */
  static Connection connection(Connection connection) {
    return connection(connection, List.of());
  }

  /**
   * A connection that has just logged in.
   *
   * @param first statements that are sent along with the first one that is prepared
   */
  static Connection connection(Connection connection, List<String> first) {
    return wrap(Connection.class, new Target(connection, first));
  }

  /** An object of pgjdbc, and what is still to be sent along. */
  private static final class Target {
    private final Object object;
    private List<String> first;

    private Target(Object object, List<String> first) {
      this.object = object;
      this.first = first;
    }
  }

  private static <T> T wrap(Class<T> type, Target target) {
    return type.cast(
        Proxy.newProxyInstance(
            Distrusted.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              Object object = target.object;
              switch (method.getName()) {
                // HikariCP asks the first connection of a pool these two. Each would be a round
                // trip;
                // when it hangs, HikariCP waits and tries again. We know: it has just logged in,
                // and
                // session.sql sets the isolation.
                case "isValid":
                  return true;
                case "getTransactionIsolation":
                  return Connection.TRANSACTION_READ_COMMITTED;
                // Camel asks each statement before it runs it, a round trip too, and takes null for
                // none. A PreparedStatement of pgjdbc is its SQL as text.
                case "getParameterMetaData":
                  return object.toString().contains("?") ? invoke(object, method, arguments) : null;
                case "prepareStatement":
                  List<String> first = target.first;
                  target.first = List.of();
                  arguments[0] = String.join(" ", first) + arguments[0];
                  return wrap(
                      PreparedStatement.class, new Target(call(object, method, arguments), first));
                case "execute":
                  return lastResult(
                      object, (boolean) call(object, method, arguments), target.first.size());
                default:
                  return invoke(object, method, arguments);
              }
            }));
  }

  /** Skips the results of the statements that were sent along, which Camel does not expect. */
  private static boolean lastResult(Object statement, boolean isResult, int skipped)
      throws SQLException {
    boolean last = isResult;
    for (int i = 0; i < skipped; i++) {
      last = ((Statement) statement).getMoreResults();
    }
    return last;
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    Object result = call(target, method, arguments);
    Class<?> type = method.getReturnType();
    return result != null && type.isInterface() && type.getPackageName().equals("java.sql")
        ? wrap(type, new Target(result, List.of()))
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
