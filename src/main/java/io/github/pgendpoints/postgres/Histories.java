package io.github.pgendpoints.postgres;

import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.History;
import io.github.pgendpoints.topology.HistoryAnswer;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Server;
import java.net.InetAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * Reads the history of a server's current timeline from that server, by the first way that our role
 * may use: {@code pg_read_file}, the function of sql/history-function.sql, or a walsender. The
 * first two need no extra login.
 *
 * <p>A history does not change while a server runs and stays on its timeline, so it is read once.
 */
public final class Histories {
  /** The wait after a refused login to a walsender, whose cause does not change by itself. */
  static final Duration REFUSED = Duration.ofSeconds(30);

  /** The wait if all walsenders are in use: one may soon be free. */
  static final Duration FULL = Duration.ofSeconds(5);

  private static final int LONGEST = 1 << 16;
  private static final int MAX_REASON = 200;

  private final NodePools pools;
  private final String query = Sql.named("history");
  private final NodeCache<HistoryAnswer> known;

  public Histories(NodePools pools) {
    this.pools = pools;
    this.known = pools.memory();
  }

  /**
   * Returns the node with its history, or with the reason why the history is missing.
   *
   * @param node a node that answered in this cycle and returned its timeline
   * @param deadline of the probes of the cycle; if too little time is left, a short one applies, so
   *     that a node that takes all the time does not prevent reading the history of another
   */
  public NodeState read(NodeState node, Deadline deadline) {
    HistoryAnswer answer =
        known
            .of(node.node(), same(node.server()))
            .orElseGet(() -> ask(node, pools.atLeastShort(deadline)));
    return node.with(node.server().with(answer));
  }

  private static List<Object> same(Server server) {
    return Arrays.asList(server.systemIdentifier(), server.startedAt(), server.timeline());
  }

  private HistoryAnswer ask(NodeState node, Deadline deadline) {
    long timeline = node.server().timeline();
    InetAddress address = Addresses.parse(node.address());
    try {
      NodePool pool = pools.of(node.node(), deadline);
      // Without a connection, the node is full, and a walsender has returned its state.
      boolean mayBeAskedAWalsender = true;
      if (pool.isConnected()) {
        try (Connection connection = pool.open();
            PreparedStatement statement = connection.prepareStatement(query)) {
          statement.setLong(1, timeline);
          try (ResultSet row = statement.executeQuery()) {
            if (!row.next()) {
              return HistoryAnswer.failed("the history query returned no row");
            }
            if (row.getBoolean("granted")) {
              return remember(node, answer(timeline, row.getString("history")), null);
            }
            mayBeAskedAWalsender = row.getBoolean("replication");
          }
        }
      }
      return mayBeAskedAWalsender
          ? askWalsender(node, address, deadline)
          : HistoryAnswer.notGranted();
    } catch (SQLException e) {
      return isNotGranted(e) ? HistoryAnswer.notGranted() : failed(e);
    }
  }

  private HistoryAnswer askWalsender(NodeState node, InetAddress address, Deadline deadline)
      throws SQLException {
    long timeline = node.server().timeline();
    Walsender opened;
    try {
      opened = pools.walsender(node.node(), address, deadline);
    } catch (SQLException e) {
      if (!Walsender.isRefused(e)) {
        throw e;
      }
      return "53300".equals(e.getSQLState())
          ? remember(node, failed(e), FULL)
          : remember(node, HistoryAnswer.notGranted(), REFUSED);
    }
    try (Walsender walsender = opened) {
      return remember(node, answer(timeline, walsender.history(timeline)), null);
    }
  }

  private static HistoryAnswer answer(long timeline, String file) {
    if (file == null) {
      return HistoryAnswer.failed("it has no history file of timeline " + timeline);
    }
    if (file.length() > LONGEST) {
      return HistoryAnswer.failed("its history file is longer than 64 KiB");
    }
    try {
      return HistoryAnswer.read(History.of(timeline, file));
    } catch (IllegalArgumentException e) {
      return HistoryAnswer.failed("its history file cannot be used: " + e.getMessage());
    }
  }

  /**
   * @param forSoLong how long the answer is valid; null caches only a history, until a restart
   */
  private HistoryAnswer remember(NodeState node, HistoryAnswer answer, Duration forSoLong) {
    Server server = node.server();
    if (server.startedAt() != null && (answer.isRead() || forSoLong != null)) {
      known.put(node.node(), same(server), answer, forSoLong);
    }
    return answer;
  }

  /** Whether the right was revoked meanwhile, or the history function does not work. */
  private static boolean isNotGranted(SQLException failure) {
    return "42501".equals(failure.getSQLState()) || "42883".equals(failure.getSQLState());
  }

  private static HistoryAnswer failed(SQLException failure) {
    return HistoryAnswer.failed(
        ForeignText.clean(String.valueOf(failure.getMessage()), MAX_REASON));
  }
}
