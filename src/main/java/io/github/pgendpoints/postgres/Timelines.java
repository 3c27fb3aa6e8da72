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
 * The timelines that SQL does not return, mostly of standbys. A walsender returns them, by {@code
 * IDENTIFY_SYSTEM}.
 *
 * <p>That takes a second login, which costs the server a process and a line in its log. One for
 * each node in each cycle is too expensive. So an answer is valid for 5 s, unless the server or its
 * WAL receiver restarts: a standby that follows another primary starts a new WAL receiver. A
 * cascading standby keeps its WAL receiver while the standby above it is promoted. Its new timeline
 * is known up to 5 s late, and it may leave the read-only Service for that time.
 *
 * <p>After a failure, only the timeline is unknown. A failure is valid for 30 s, since the causes,
 * such as a pooler, max_wal_senders, or pg_hba.conf, do not change by themselves.
 */
public final class Timelines {
  static final Duration ANSWER = Duration.ofSeconds(5);
  static final Duration FAILURE = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(Timelines.class);

  private final NodePools pools;

  /** Empty if the walsender did not return a timeline. */
  private final NodeCache<Optional<Long>> known;

  public Timelines(NodePools pools) {
    this.pools = pools;
    this.known = pools.memory();
  }

  /**
   * Returns the node with its timeline, if a walsender returns it.
   *
   * @param node a node that answered
   * @param answer the answer of the node
   * @return the same state if the timeline stays unknown
   */
  NodeState completed(NodeState node, ProbeQuery.Answer answer, Deadline deadline) {
    Server server = node.server();
    Object receiver = answer.row().get("receiver");
    List<Object> same =
        Arrays.asList(server.systemIdentifier(), server.startedAt(), receiver, node.state());
    Optional<Long> timeline =
        known
            .of(node.node(), same)
            .orElseGet(
                () -> {
                  Optional<Long> asked = ask(node, deadline);
                  known.put(node.node(), same, asked, asked.isEmpty() ? FAILURE : ANSWER);
                  return asked;
                });
    return withTimeline(node, timeline.orElse(null));
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

  /** Returns the timeline; null if it is invalid or belongs to another cluster. */
  static Long credible(NodeState node, Walsender.Identity identity) {
    String own = node.server().systemIdentifier();
    boolean credible =
        (own == null || own.equals(identity.systemIdentifier()))
            && identity.timeline() > 0
            && identity.timeline() <= Line.MAX_TIMELINE;
    return credible ? identity.timeline() : null;
  }

  static NodeState withTimeline(NodeState node, Long timeline) {
    return timeline == null ? node : node.with(node.server().onTimeline(timeline));
  }
}
