package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import java.io.IOException;
import java.net.InetAddress;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/** What the outcome of a probe says of the node. */
public final class Probe {
  private static final String UNABLE_TO_CONNECT = "08001";
  private static final String CONNECTION_FAILURE = "08006";
  private static final Set<String> BROKEN = Set.of("57P01", "57P02", "08003", CONNECTION_FAILURE);
  private static final Set<String> SHUTTING_DOWN_OR_STARTING = Set.of("57P01", "57P02", "57P03");
  private static final int MAX_REASON = 200;

  private Probe() {}

  /**
   * The node answered the query.
   *
   * @param row the row of probe.sql
   */
  public static NodeState answered(Node node, InetAddress address, Map<String, Object> row) {
    boolean inRecovery = (Boolean) row.get("in_recovery");
    String timeline = (String) row.get("timeline");
    Server server =
        new Server(
            (String) row.get("system_identifier"),
            (String) row.get("started_at"),
            timeline == null ? null : Long.valueOf(timeline, 16),
            Lsn.of((String) row.get("lsn")),
            (Boolean) row.get("streaming"));
    return NodeState.answered(
        node, inRecovery ? State.STANDBY : State.PRIMARY, Addresses.text(address), server);
  }

  /**
   * The node did not answer as it should: DOWN where nobody is there, UNKNOWN where somebody is.
   *
   * @param address null when the name did not resolve
   * @param failure a SQLException somewhere in its causes
   */
  public static NodeState failed(Node node, InetAddress address, Throwable failure) {
    SQLException error = sqlException(failure);
    String text = address == null ? null : Addresses.text(address);
    return nobodyIsThere(error)
        ? NodeState.down(node, text, reason(error))
        : NodeState.unknown(node, text, reason(error));
  }

  /** Whether an open connection broke, which may say nothing of the node: ask it afresh. */
  public static boolean connectionBroke(Throwable failure) {
    return BROKEN.contains(state(sqlException(failure)));
  }

  private static boolean nobodyIsThere(SQLException error) {
    String state = state(error);
    if (state.equals(CONNECTION_FAILURE)) {
      // End of file and time-outs, but not TLS: there a server answers and is refused.
      return causes(error).anyMatch(IOException.class::isInstance)
          && causes(error).noneMatch(SSLException.class::isInstance)
          && causes(error).noneMatch(java.io.FileNotFoundException.class::isInstance);
    }
    return state.equals(UNABLE_TO_CONNECT)
        || state.equals("08003")
        || SHUTTING_DOWN_OR_STARTING.contains(state);
  }

  private static String state(SQLException error) {
    return error.getSQLState() == null ? "" : error.getSQLState();
  }

  /** The innermost SQLException: the server's or the driver's own. */
  private static SQLException sqlException(Throwable failure) {
    List<SQLException> errors =
        causes(failure)
            .filter(SQLException.class::isInstance)
            .map(SQLException.class::cast)
            .toList();
    return errors.isEmpty()
        ? new SQLException(failure.getMessage(), failure)
        : errors.get(errors.size() - 1);
  }

  /** One cleaned line: what a server says ends up in logs, alerts and terminals. */
  private static String reason(SQLException error) {
    Throwable root = causes(error).reduce((first, last) -> last).orElse(error);
    String message =
        root instanceof IOException && root.getMessage() != null
            ? root.getMessage()
            : String.valueOf(error.getMessage());
    String line = message.replaceAll("[\\p{Cntrl}\\p{Cf}\\s]+", " ").strip();
    return line.length() <= MAX_REASON ? line : line.substring(0, MAX_REASON - 1) + "…";
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(20);
  }
}
