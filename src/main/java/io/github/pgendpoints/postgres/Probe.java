package io.github.pgendpoints.postgres;

import io.github.pgendpoints.logging.Causes;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Failure;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Node;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Protection;
import io.github.pgendpoints.topology.Right;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.State;
import io.github.pgendpoints.topology.UnreadValue;
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
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.postgresql.util.PSQLException;

/** Converts the outcome of a probe to the state of the node. */
public final class Probe {
  private static final String UNABLE_TO_CONNECT = "08001";
  private static final String CONNECTION_FAILURE = "08006";
  private static final String INVALID_AUTHORIZATION = "28000";

  /** A class of SQLSTATEs. PgBouncer reports most of its own errors with one of this class. */
  private static final String CONNECTION_EXCEPTION = "08";

  /** A server may report the severity in another language, so the SQLSTATE is checked as well. */
  private static final Set<String> ENDED =
      Set.of("57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04");

  private static final Set<String> FATAL = Set.of("FATAL", "PANIC");
  private static final Set<String> SHUTTING_DOWN_OR_STARTING = Set.of("57P01", "57P02", "57P03");
  private static final Predicate<String> SYSTEM_IDENTIFIER = Line::isSystemIdentifier;
  private static final Predicate<String> TIMELINE = matching("[0-9A-Fa-f]{1,8}");
  private static final Predicate<String> HOST = matching("[\\w.:-]{1,255}");
  private static final Predicate<String> IP_ADDRESS =
      matching("\\d{1,3}(\\.\\d{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,45}");
  private static final int MAX_REASON = 200;

  /** The columns that show which ways our role has to read a history. */
  private static final Set<String> HISTORY =
      Set.of("replication", "history_file", "history_function");

  private Probe() {}

  private static Predicate<String> matching(String pattern) {
    return Pattern.compile(pattern).asMatchPredicate();
  }

  /** The query of a probe with every column, for a role that may read them all. */
  public static String query() {
    return ProbeColumn.select(ProbeColumn.ALL, /* withRights= */ true);
  }

  /**
   * Returns the state of a node that answered the query.
   *
   * @param answer the answer of the node
   */
  static NodeState answered(Node node, InetAddress address, ProbeQuery.Answer answer) {
    String text = Addresses.text(address);
    try {
      boolean inRecovery = (Boolean) answer.row().get(ProbeColumn.IN_RECOVERY);
      return NodeState.answered(
          node, inRecovery ? State.STANDBY : State.PRIMARY, text, server(inRecovery, answer));
    } catch (RuntimeException e) {
      // No PostgreSQL server answers like this. No answer of a node may end the cycle.
      return NodeState.unknown(
          node,
          text,
          Failure.OTHER,
          ForeignText.clean("the answer to the query is invalid: " + e, MAX_REASON));
    }
  }

  private static Server server(boolean inRecovery, ProbeQuery.Answer answer) {
    Map<String, Object> row = answer.row();
    return new Server(
        credible(SYSTEM_IDENTIFIER, (String) row.get("system_identifier")),
        (Long) row.get("started_at"),
        inRecovery ? standbyTimeline(row) : primaryTimeline(row),
        Lsn.of((String) row.get(inRecovery ? "replay_lsn" : "insert_lsn")),
        inRecovery && (row.get("receiver") != null || !row.containsKey("receiver")),
        source(row),
        replicas((String) row.get("replicas")),
        rights(answer),
        /* history= */ null,
        unread(inRecovery, answer),
        (Boolean) row.get("read_only"));
  }

  private static Long primaryTimeline(Map<String, Object> row) {
    String timeline = credible(TIMELINE, (String) row.get("timeline"));
    return timeline == null ? null : Long.valueOf(timeline, 16);
  }

  /** The highest timeline that a standby returns; null unless it returns the one it receives. */
  private static Long standbyTimeline(Map<String, Object> row) {
    return row.get("received_tli") == null
        ? null
        : Stream.of("received_tli", "checkpoint_tli", "recovery_tli")
            .map(column -> (Integer) row.get(column))
            .filter(Objects::nonNull)
            .map(Integer::toUnsignedLong)
            .max(Comparator.naturalOrder())
            .orElseThrow();
  }

  /** The protections that are off, each with the first of its columns that is missing. */
  private static Map<Protection, UnreadValue> unread(boolean inRecovery, ProbeQuery.Answer answer) {
    Map<Protection, UnreadValue> unread = new EnumMap<>(Protection.class);
    answer
        .unread()
        .forEach(
            (column, reason) -> {
              Protection protection = column.protects();
              if (protection != null && protection.isOf(inRecovery)) {
                unread.putIfAbsent(protection, new UnreadValue(reason, column.needs()));
              }
            });
    return unread;
  }

  private static String source(Map<?, ?> row) {
    String host = (String) row.get("source_host");
    Integer port = (Integer) row.get("source_port");
    if (host == null || port == null || !HOST.test(host)) {
      // The directory of a Unix socket is not a node.
      return null;
    }
    return Addresses.withPort(IP_ADDRESS.test(host) ? spelled(host) : host, port);
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

  /** Assumes a right that the server had no time to return. Without an answer, its use fails. */
  private static Set<Right> rights(ProbeQuery.Answer answer) {
    Map<String, Object> row = answer.row();
    Set<Right> rights = EnumSet.noneOf(Right.class);
    if (is(row, "monitor")) {
      rights.add(Right.MONITOR);
    }
    if (HISTORY.stream().anyMatch(way -> is(row, way) || answer.late().contains(way))) {
      rights.add(Right.HISTORY);
    }
    return rights;
  }

  private static boolean is(Map<?, ?> row, String column) {
    return Boolean.TRUE.equals(row.get(column));
  }

  /**
   * Whether a server does not return its timeline, or a standby not its exact one, and our role may
   * query a walsender for it.
   */
  static boolean hidesTimeline(ProbeQuery.Answer answer) {
    Map<String, Object> row = answer.row();
    boolean hidden =
        is(row, ProbeColumn.IN_RECOVERY)
            ? row.get("received_tli") == null || !"streaming".equals(row.get("receiver_status"))
            : row.get("timeline") == null;
    return hidden && is(row, "replication");
  }

  /** Checks the format, and so the length, of a text that is cached or written to annotations. */
  private static String credible(Predicate<String> format, String text) {
    if (text != null && !format.test(text)) {
      throw new IllegalArgumentException("'" + text + "'");
    }
    return text;
  }

  /**
   * Returns the state of a node whose probe failed: DOWN if no server is there, otherwise UNKNOWN.
   *
   * @param address null if the name did not resolve
   * @param failure with a SQLException or an Error among its causes
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

  /**
   * Whether the server, a proxy, or the network ended the session. That may prove nothing about the
   * node, so the probe is repeated with a new login.
   */
  public static boolean sessionEnded(Throwable failure) {
    SQLException error = sqlException(failure);
    return ENDED.contains(state(error))
        || state(error).startsWith(CONNECTION_EXCEPTION)
        || error instanceof PSQLException postgres
            && postgres.getServerErrorMessage() != null
            && FATAL.contains(String.valueOf(postgres.getServerErrorMessage().getSeverity()));
  }

  private static boolean nobodyIsThere(SQLException error) {
    return switch (state(error)) {
      // The other causes of 08006 are servers that answer, such as one with a refused certificate.
      case CONNECTION_FAILURE -> hasCause(error, IOException.class) && !somebodyAnswered(error);
      case UNABLE_TO_CONNECT -> !somebodyAnswered(error);
      case "08003" -> true;
      default -> SHUTTING_DOWN_OR_STARTING.contains(state(error));
    };
  }

  /** Whether the cause is a local file, TLS, or an answer that is too long, rather than silence. */
  private static boolean somebodyAnswered(SQLException error) {
    return isTls(error)
        || hasCause(error, ProtocolException.class)
        || hasCause(error, FileNotFoundException.class);
  }

  /** Whether TLS failed with a server that answers and did not close the connection. */
  static boolean isTls(Throwable failure) {
    return hasCause(failure, SSLException.class)
        && !hasCause(failure, SocketTimeoutException.class)
        && !hasCause(failure, SocketException.class)
        && !hasCause(failure, EOFException.class);
  }

  private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
    return Causes.of(failure).anyMatch(type::isInstance);
  }

  private static String state(SQLException error) {
    return error.getSQLState() == null ? "" : error.getSQLState();
  }

  /** Returns the innermost SQLException, which comes from the server or the driver. */
  private static SQLException sqlException(Throwable failure) {
    List<SQLException> errors =
        Causes.of(failure)
            .filter(SQLException.class::isInstance)
            .map(SQLException.class::cast)
            .toList();
    return errors.isEmpty() ? ofThisMachine(failure) : errors.get(errors.size() - 1);
  }

  /** The exception for a failure of this machine, not the node. It makes only this node UNKNOWN. */
  static SQLException ofThisMachine(Throwable failure) {
    return new SQLException(withoutAnswer(failure), failure);
  }

  private static String withoutAnswer(Throwable failure) {
    return Causes.of(failure)
        .filter(Error.class::isInstance)
        .findFirst()
        .map(
            error ->
                error instanceof OutOfMemoryError
                    ? "out of memory during the probe"
                    : "during the probe: " + error)
        .orElse(failure.getMessage());
  }

  /** Returns one cleaned line: the text of a server ends up in logs, alerts, and terminals. */
  private static String reason(SQLException error) {
    Throwable root = Causes.root(error);
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

  /** Whether the message of the SQLException is clearer than Java's, which is a bare path. */
  private static boolean isOwnFile(SQLException error, Throwable root) {
    return INVALID_AUTHORIZATION.equals(error.getSQLState())
        || root instanceof FileSystemException
        || root instanceof CharacterCodingException;
  }
}
