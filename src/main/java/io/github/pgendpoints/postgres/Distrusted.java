package io.github.pgendpoints.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;

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
    return wrap(Connection.class, connection);
  }

  private static <T> T wrap(Class<T> type, Object target) {
    return type.cast(
        Proxy.newProxyInstance(
            Distrusted.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              // HikariCP asks the first connection of a pool these two. Each would be a round trip;
              // when it hangs, HikariCP waits and tries again. We know: it has just logged in, and
              // isolation is of no matter to a probe.
              switch (method.getName()) {
                case "isValid":
                  return true;
                case "getTransactionIsolation":
                  return Connection.TRANSACTION_READ_COMMITTED;
                // Camel asks each statement before it runs it, a round trip too, and takes null for
                // none. A PreparedStatement of pgjdbc is its SQL as text.
                case "getParameterMetaData":
                  return target.toString().contains("?") ? invoke(target, method, arguments) : null;
                default:
                  return invoke(target, method, arguments);
              }
            }));
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      Object result = method.invoke(target, arguments);
      Class<?> type = method.getReturnType();
      return result != null && type.isInterface() && type.getPackageName().equals("java.sql")
          ? wrap(type, result)
          : result;
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
