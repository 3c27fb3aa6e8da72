package io.github.pgendpoints.postgres;

import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;

/** What the outcome of a probe says of the node. */
public final class Probe {
  private static final String UNABLE_TO_CONNECT = "08001";
  private static final String CONNECTION_FAILURE = "08006";
  private static final String INVALID_AUTHORIZATION = "28000";
  private static final Set<String> BROKEN = Set.of("57P01", "57P02", "08003", CONNECTION_FAILURE);
  private static final Set<String> SHUTTING_DOWN_OR_STARTING = Set.of("57P01", "57P02", "57P03");
  private static final Pattern SYSTEM_IDENTIFIER = Pattern.compile("[1-9][0-9]{0,19}");
  private static final Pattern TIMELINE = Pattern.compile("[0-9A-Fa-f]{1,8}");
  private static final Pattern HOST = Pattern.compile("[\\w.:-]{1,255}");
  private static final Pattern IP_ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,45}");
  private static final int MAX_REASON = 200;

  private Probe() {}

  /**
   * The node answered the query.
   *
   * @param answer the row of probe.sql, a Map; null when there was none, and a bare value when it
   *     had one column
   */
  public static NodeState answered(Node node, InetAddress address, Object answer) {
    String text = Addresses.text(address);
    try {
      Map<?, ?> row = (Map<?, ?>) answer;
      boolean inRecovery = (Boolean) row.get("in_recovery");
      return NodeState.answered(
          node, inRecovery ? State.STANDBY : State.PRIMARY, text, server(row));
    } catch (RuntimeException e) {
      // No PostgreSQL answers like this, whoever it is: nothing a node says may end the cycle.
      return NodeState.unknown(
          node,
          text,
          Failure.OTHER,
          ForeignText.clean("the answer to the query makes no sense: " + e, MAX_REASON));
    }
  }

  private static Server server(Map<?, ?> row) {
    String timeline = credible(TIMELINE, (String) row.get("timeline"));
    return new Server(
            credible(SYSTEM_IDENTIFIER, (String) row.get("system_identifier")),
            (Long) row.get("started_at"),
            timeline == null ? null : Long.valueOf(timeline, 16),
            Lsn.of((String) row.get("lsn")),
            (Boolean) row.get("streaming"))
        .with(source(row), replicas((String) row.get("replicas")))
        .granting(rights(row));
  }

  private static String source(Map<?, ?> row) {
    String host = (String) row.get("source_host");
    Integer port = (Integer) row.get("source_port");
    if (host == null || port == null || !HOST.matcher(host).matches()) {
      // The folder of a socket is no node.
      return null;
    }
    return Addresses.withPort(IP_ADDRESS.matcher(host).matches() ? spelled(host) : host, port, -1);
  }

  private static Set<String> replicas(String addresses) {
    return addresses == null
        ? Set.of()
        : Arrays.stream(addresses.split(","))
            .map(address -> spelled(credible(IP_ADDRESS, address)))
            .collect(Collectors.toSet());
  }

  private static String spelled(String address) {
    return Addresses.text(Addresses.parse(address));
  }

  private static Set<Right> rights(Map<?, ?> row) {
    Set<Right> rights = EnumSet.noneOf(Right.class);
    if (is(row, "monitor")) {
      rights.add(Right.MONITOR);
    }
    if (is(row, "history")) {
      rights.add(Right.HISTORY);
    }
    return rights;
  }

  private static boolean is(Map<?, ?> row, String column) {
    return Boolean.TRUE.equals(row.get(column));
  }

  /**
   * Whether a standby does not tell its timeline exactly, and lets our role ask a walsender for it.
   *
   * @param answer the row of probe.sql, as in {@link #answered}
   */
  public static boolean hidesTimeline(Object answer) {
    return answer instanceof Map<?, ?> row && is(row, "identify");
  }

  /** What is kept from cycle to cycle, or written to annotations, is no longer than it can be. */
  private static String credible(Pattern pattern, String text) {
    if (text != null && !pattern.matcher(text).matches()) {
      throw new IllegalArgumentException("'" + text + "'");
    }
    return text;
  }

  /**
   * The node did not answer as it should: DOWN where nobody is there, UNKNOWN where somebody is.
   *
   * @param address null when the name did not resolve
   * @param failure a SQLException or an Error somewhere in its causes
   */
  public static NodeState failed(Node node, InetAddress address, Throwable failure) {
    SQLException error = sqlException(failure);
    String text = address == null ? null : Addresses.text(address);
    return nobodyIsThere(error)
        ? NodeState.down(node, text, failureOf(error), reason(error))
        : NodeState.unknown(node, text, failureOf(error), reason(error));
  }

  private static Failure failureOf(SQLException error) {
    return switch (state(error)) {
      case "53300" -> Failure.FULL;
      case INVALID_AUTHORIZATION, "28P01", "3D000" -> Failure.LOGIN_REFUSED;
      default ->
          hasCause(error, SocketTimeoutException.class) || hasCause(error, TimeoutException.class)
              ? Failure.SILENT
              : Failure.OTHER;
    };
  }

  /** Whether an open connection broke, which may say nothing of the node: ask it afresh. */
  public static boolean connectionBroke(Throwable failure) {
    return BROKEN.contains(state(sqlException(failure)));
  }

  private static boolean nobodyIsThere(SQLException error) {
    return switch (state(error)) {
      // The rest of 08006 is a server that answers, such as one whose certificate is refused.
      case CONNECTION_FAILURE -> hasCause(error, IOException.class) && !somebodyAnswered(error);
      case UNABLE_TO_CONNECT -> !somebodyAnswered(error);
      case "08003" -> true;
      default -> SHUTTING_DOWN_OR_STARTING.contains(state(error));
    };
  }

  /** Whether a file of ours, TLS or too long an answer is the reason, rather than silence. */
  private static boolean somebodyAnswered(SQLException error) {
    return isTls(error)
        || hasCause(error, ProtocolException.class)
        || hasCause(error, FileNotFoundException.class);
  }

  /** Whether TLS could not be agreed on, with a server that is there and did not hang up. */
  static boolean isTls(Throwable failure) {
    return hasCause(failure, SSLException.class)
        && !hasCause(failure, SocketTimeoutException.class)
        && !hasCause(failure, SocketException.class)
        && !hasCause(failure, EOFException.class);
  }

  private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
    return causes(failure).anyMatch(type::isInstance);
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
    return errors.isEmpty() ? ofThisMachine(failure) : errors.get(errors.size() - 1);
  }

  /** A failure of this machine rather than of the node; but only this node is not known for it. */
  static SQLException ofThisMachine(Throwable failure) {
    return new SQLException(withoutAnswer(failure), failure);
  }

  private static String withoutAnswer(Throwable failure) {
    return causes(failure)
        .filter(Error.class::isInstance)
        .findFirst()
        .map(
            error ->
                error instanceof OutOfMemoryError
                    ? "out of memory while it was asked"
                    : "while it was asked: " + error)
        .orElse(failure.getMessage());
  }

  /** One cleaned line: what a server says ends up in logs, alerts and terminals. */
  private static String reason(SQLException error) {
    Throwable root = causes(error).reduce((first, last) -> last).orElse(error);
    String message = String.valueOf(error.getMessage());
    if (root instanceof EOFException) {
      message = "the server closed the connection";
    } else if (root instanceof IOException
        && !isOwnFile(error, root)
        && root.getMessage() != null) {
      message = root.getMessage();
    }
    return ForeignText.clean(message, MAX_REASON);
  }

  /** Whether our own message tells more than the bare path that Java has for it. */
  private static boolean isOwnFile(SQLException error, Throwable root) {
    return INVALID_AUTHORIZATION.equals(error.getSQLState())
        || root instanceof FileSystemException
        || root instanceof CharacterCodingException;
  }

  private static Stream<Throwable> causes(Throwable failure) {
    return Stream.iterate(failure, cause -> cause != null, Throwable::getCause).limit(20);
  }
}
