package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Server;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timelines that SQL does not tell, mostly of standbys, asked of a walsender by {@code
 * IDENTIFY_SYSTEM}.
 *
 * <p>That is a second login, with a process of the server's and a line in its log. One for each
 * node in each cycle is too dear. So an answer counts for 5 s, as long as neither the server nor
 * its WAL receiver has started again since: a standby that follows another primary makes a new
 * receiver. One that cascades keeps it while the standby above it is promoted; it tells its new
 * timeline up to 5 s late, and may leave the read-only Service for so long.
 *
 * <p>A failure only leaves the timeline untold. It counts for 30 s, since what refuses a walsender,
 * such as a pooler, max_wal_senders or pg_hba.conf, does not change by itself.
 */
public final class Timelines {
  static final Duration ANSWER = Duration.ofSeconds(5);
  static final Duration FAILURE = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Timelines.class);

  private final NodePools pools;

  /** Empty where it did not say. */
  private final Remembered<Optional<Long>> told;

  public Timelines(NodePools pools) {
    this.pools = pools;
    this.told = pools.memory();
  }

  /**
   * The node with its timeline, where a walsender tells it.
   *
   * @param node a node that answered
   * @param answer what it told
   * @return the same state where it is not told
   */
  NodeState completed(NodeState node, ProbeQuery.Answer answer, Deadline deadline) {
    Server server = node.server();
    Object receiver = answer.row().get("receiver");
    List<Object> same =
        Arrays.asList(server.systemIdentifier(), server.startedAt(), receiver, node.state());
    Optional<Long> timeline =
        told.of(node.node(), same)
            .orElseGet(
                () -> {
                  Optional<Long> asked = ask(node, deadline);
                  told.put(node.node(), same, asked, asked.isEmpty() ? FAILURE : ANSWER);
                  return asked;
                });
    return told(node, timeline.orElse(null));
  }

  private Optional<Long> ask(NodeState node, Deadline deadline) {
    try (Walsender walsender =
        pools.walsender(node.node(), Addresses.parse(node.address()), deadline)) {
      return Optional.ofNullable(credible(node, walsender.identify()));
    } catch (SQLException e) {
      LOG.debug("{} did not identify itself: {}", node.node(), e.getMessage());
      return Optional.empty();
    }
  }

  /** The timeline of this very cluster; null when that is not what it is. */
  static Long credible(NodeState node, Walsender.Identity identity) {
    String own = node.server().systemIdentifier();
    boolean credible =
        (own == null || own.equals(identity.systemIdentifier()))
            && identity.timeline() > 0
            && identity.timeline() <= Line.MAX_TIMELINE;
    return credible ? identity.timeline() : null;
  }

  static NodeState told(NodeState node, Long timeline) {
    return timeline == null ? node : node.with(node.server().onTimeline(timeline));
  }
}
