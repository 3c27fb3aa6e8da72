package io.github.pgendpoints.status;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.pgendpoints.cycle.Result;
import io.github.pgendpoints.publish.ObservedService;
import io.github.pgendpoints.publish.Plan;
import io.github.pgendpoints.publish.Publisher;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.ReadOnly;
import io.github.pgendpoints.topology.Server;
import io.github.pgendpoints.topology.Topology;
import io.github.pgendpoints.topology.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * What one cycle found, and what it would have published. The fields are those of the JSON.
 *
 * @param exitCode the exit code of a run of one cycle
 * @param verified whether the topology passed the rules of verification
 * @param paused whether a setting or an annotation stops every write
 * @param reasons what is wrong: one sentence each
 * @param nodes in the order of PG_NODES; empty when they could not be probed
 * @param services the read-write one first; empty when their Endpoints could not be read
 * @param source which process found it, and when
 */
public record Status(
    int exitCode,
    boolean verified,
    boolean paused,
    List<String> reasons,
    List<NodeRow> nodes,
    List<ServiceRow> services,
    Source source) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A node. A value that it does not report is null.
   *
   * @param lag bytes behind the primary
   * @param publishedIn the Services whose Endpoints hold it now
   * @param reason why it is in its state, or is not read from; may be empty
   */
  public record NodeRow(
      String node,
      String address,
      int port,
      String state,
      Long timeline,
      String lsn,
      Long lag,
      List<String> publishedIn,
      String reason) {}

  /**
   * A Service.
   *
   * @param desired where it should route to; null when that is not known, and it stays unchanged
   * @param observed where it routes to; null when there is nothing yet
   * @param upToDate whether nothing has to be written; null when that is not known
   * @param clients the addresses that clients see, if they are not those written; otherwise null
   */
  public record ServiceRow(
      String service,
      Collection<String> desired,
      Collection<String> observed,
      Boolean upToDate,
      Collection<String> clients) {}

  /**
   * The process that ran the cycle.
   *
   * @param by {@code manager} for a running manager, {@code command} for the command status itself
   * @param replica the name of the manager's host or pod; null for the command
   * @param leading whether that manager holds the Lease; null if there is no Lease
   * @param leader the name of the holder of the Lease; null if it is not known
   * @param at when the cycle ended; UTC, ISO 8601
   * @param ageSeconds how long ago that was
   */
  public record Source(
      String by, String replica, Boolean leading, String leader, String at, long ageSeconds) {
    static Source manager(String replica, Boolean leading, String leader, Instant at, Instant now) {
      long age = Math.max(0, Duration.between(at, now).toSeconds());
      return new Source("manager", replica, leading, leader, seconds(at), age);
    }

    /** Returns the source for the command itself. */
    public static Source probe(Instant at) {
      return new Source("command", null, null, null, seconds(at), 0);
    }

    private static String seconds(Instant at) {
      return at.truncatedTo(ChronoUnit.SECONDS).toString();
    }
  }

  /**
   * Returns the status after a cycle.
   *
   * @param lasting what the cycle found wrong
   * @param publisher provides the Services, and what belongs behind them
   */
  public static Status of(Result result, List<String> lasting, Publisher publisher, Source source) {
    ObservedService rw = result.readWrite();
    ObservedService ro = result.readOnly();
    LastPublished published = result.published();
    Topology topology = result.topology();
    Verdict verdict = result.verdict();
    ReadOnly readOnly = verdict == null ? null : verdict.readOnly();
    List<Plan> plans =
        readOnly == null ? null : publisher.plans(topology, verdict, published, rw, ro);
    List<ServiceRow> services =
        published == null
            ? List.of()
            : List.of(
                service(publisher.rwService(), rw, result, plans == null ? null : plans.get(0)),
                service(publisher.roService(), ro, result, plans == null ? null : plans.get(1)));
    return new Status(
        result.outcome().exitCode(),
        readOnly != null,
        result.paused(),
        lasting,
        topology == null ? List.of() : nodes(topology, verdict, publisher, rw, ro),
        services,
        source);
  }

  /** Returns a status without findings, for this reason. */
  static Status missing(String reason, Source source) {
    return new Status(1, false, false, List.of(reason), List.of(), List.of(), source);
  }

  private static ServiceRow service(
      String name, ObservedService observed, Result result, Plan plan) {
    return new ServiceRow(
        name,
        plan == null ? null : plan.desiredDestinations(),
        observed.isMissing() ? null : observed.destinations(),
        plan == null ? null : plan.isUnchanged(),
        result.mismatches().stream()
            .filter(mismatch -> mismatch.service().equals(name))
            .map(mismatch -> new TreeSet<>(mismatch.seen()))
            .findFirst()
            .orElse(null));
  }

  private static List<NodeRow> nodes(
      Topology topology,
      Verdict verdict,
      Publisher publisher,
      ObservedService rw,
      ObservedService ro) {
    ReadOnly readOnly = verdict == null ? null : verdict.readOnly();
    List<NodeRow> rows = new ArrayList<>();
    for (NodeState node : topology.nodes()) {
      List<String> publishedIn = new ArrayList<>();
      if (holds(rw, node.endpoint())) {
        publishedIn.add(publisher.rwService());
      }
      if (holds(ro, node.endpoint())) {
        publishedIn.add(publisher.roService());
      }
      Server server = node.server();
      String leftOut = readOnly == null ? null : readOnly.leftOut().get(node.node());
      rows.add(
          new NodeRow(
              node.node().name(),
              node.address(),
              node.node().port(),
              node.state().name(),
              server == null ? null : server.timeline(),
              server == null || server.lsn() == null ? null : server.lsn().toString(),
              verdict == null ? null : verdict.lag(node),
              publishedIn,
              leftOut == null ? node.reason() : "not read from: " + leftOut));
    }
    return rows;
  }

  private static boolean holds(ObservedService observed, String endpoint) {
    return observed != null && endpoint != null && observed.publishedEndpoints().contains(endpoint);
  }

  public String json() {
    return JSON.valueToTree(this).toPrettyString();
  }
}
