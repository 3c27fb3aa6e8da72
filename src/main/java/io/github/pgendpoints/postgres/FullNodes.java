package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.NodeState;
import java.net.InetAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Queries nodes whose connections are used up. They serve clients, and one of them may be the
 * primary. Since PostgreSQL 12, walsenders have separate slots, and they accept SQL. So a walsender
 * can run the same query if our role has the attribute REPLICATION.
 *
 * <p>Only a login shows whether our role has it. A refusal is valid for 60 s, so that logins do not
 * fill the log of a busy server.
 */
public final class FullNodes {
  static final Duration REFUSED = Duration.ofSeconds(60);

  private final NodePools pools;
  private final LongSupplier nanoTime;
  private final NodeCache<Boolean> refused;

  public FullNodes(NodePools pools, LongSupplier nanoTime) {
    this.pools = pools;
    this.refused = pools.memory();
    this.nanoTime = nanoTime;
  }

  /**
   * Returns the state of a full node, as a walsender reports it.
   *
   * @param full a node that answered 53300 to an ordinary login
   * @return the same state if a walsender does not report it either
   */
  public NodeState probed(NodeState full, InetAddress address, Deadline deadline) {
    if (refused.of(full.node(), full.node()).isPresent()) {
      return full;
    }
    try (Walsender walsender = pools.walsender(full.node(), address, deadline)) {
      ProbeQuery.Answer answer = answer(walsender, deadline);
      NodeState answered = Probe.answered(full.node(), address, answer);
      return answered.server() != null && Probe.hidesTimeline(answer)
          ? Timelines.withTimeline(answered, Timelines.credible(answered, walsender.identify()))
          : answered;
    } catch (SQLException e) {
      if (Walsender.isRefused(e)) {
        refused.put(full.node(), full.node(), true, REFUSED);
      }
      return full;
    }
  }

  private ProbeQuery.Answer answer(Walsender walsender, Deadline deadline) throws SQLException {
    ProbeQuery query = new ProbeQuery(nanoTime);
    ProbeQuery.FollowUps followUps = pools.followUps(walsender::row, deadline);
    try {
      return query.completed(walsender.row(query.sql()), followUps);
    } catch (SQLException e) {
      if (Probe.sessionEnded(e)) {
        throw e;
      }
      return query.oneByOne(followUps);
    }
  }
}
