package io.github.pgendpoints.alert;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.github.pgendpoints.logging.ForeignText;
import io.github.pgendpoints.topology.NodeState;
import io.github.pgendpoints.topology.Report;
import io.github.pgendpoints.topology.Rule;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * One alert, as every sink receives it. {@code marshal: json} writes these fields as an object.
 *
 * @param phase whether this is an event, or a condition begins, lasts, or is over
 * @param ends the kind of the condition that ends with this alert; null if none does
 * @param subject the node, the Service, or the rule; empty if the alert is about the whole cluster
 * @param key the same in every alert about the same condition, from its beginning to its end
 * @param message one sentence for people, which names its subject first
 * @param before the topology that was verified last, as {@code primary:IP;standbys:IP,IP}; null if
 *     there was none
 * @param after the topology that this cycle verified; null if it verified none
 * @param nodes the state of each node, and the reason; empty if the cycle probed none
 * @param since when the event happened or the condition began
 * @param at when this alert was created
 */
@JsonPropertyOrder({"kind", "severity", "phase", "ends", "subject", "key", "message"})
public record Alert(
    Kind kind,
    Severity severity,
    Phase phase,
    Kind ends,
    String subject,
    String key,
    String message,
    Cluster cluster,
    String before,
    String after,
    List<Node> nodes,
    @JsonSerialize(using = ToStringSerializer.class) Instant since,
    @JsonSerialize(using = ToStringSerializer.class) Instant at) {

  public Alert {
    Objects.requireNonNull(message, "message");
    nodes = List.copyOf(nodes);
  }

  /** The severity of an alert; the names are those of the log levels. */
  public enum Severity {
    INFO,
    WARN,
    ERROR
  }

  /** The phase of a condition, or HAPPENED for an event. */
  public enum Phase {
    /** An event, not a condition. */
    HAPPENED,
    /** A condition that the previous cycle did not have. */
    BEGAN,
    /** A condition that was reported before: its details changed, or ALERT_REPEAT has passed. */
    LASTS,
    /** The end of a condition. */
    OVER
  }

  /**
   * The cluster that an alert is about.
   *
   * @param readWrite the name of RW_SERVICE
   * @param readOnly the name of RO_SERVICE
   */
  public record Cluster(String namespace, String readWrite, String readOnly) {
    /** Returns the key of a condition of this cluster. */
    public String key(Kind kind, String subject) {
      String key = namespace + "/" + readWrite + "/" + kind;
      return subject.isEmpty() ? key : key + "/" + subject;
    }
  }

  /**
   * The state of one node.
   *
   * @param name the entry of PG_NODES
   * @param address the IP address that was probed; null if the name did not resolve
   * @param state PRIMARY, STANDBY, DOWN, UNKNOWN or FOREIGN
   * @param reason why the node is DOWN, UNKNOWN or FOREIGN; otherwise empty
   */
  public record Node(String name, String address, String state, String reason) {
    static Node of(NodeState node) {
      return new Node(
          node.node().name(),
          node.address(),
          node.state().name(),
          ForeignText.clean(node.reason()));
    }
  }

  /** The kind of an event or a condition. */
  public enum Kind {
    /** The verified topology has another primary than before. */
    PRIMARY_CHANGED("PrimaryChanged"),
    /** The verified topology is the same as before, or it is the first one. */
    TOPOLOGY_VERIFIED("TopologyVerified"),
    /** The verified topology has the same primary as before, but other standbys. */
    TOPOLOGY_CHANGED("TopologyChanged"),
    /** A node that was a standby is DOWN. */
    STANDBY_LOST("StandbyLost"),
    /** A standby answers, but the read-only Service leaves it out. */
    STANDBY_LEFT_OUT("StandbyLeftOut"),
    /** A standby answers again, or is back in the read-only Service. */
    STANDBY_BACK("StandbyBack"),
    /** A node that was not a standby is DOWN. */
    NODE_DOWN("NodeDown"),
    /** The name of a node does not resolve, or what answers cannot be verified. */
    NODE_UNKNOWN("NodeUnknown"),
    /** A node is a primary or a standby again, or has changed from one to the other. */
    NODE_CHANGED("NodeChanged"),
    /**
     * Several servers could be the primary: nothing is written, unless ON_SPLIT_BRAIN=clear. With a
     * subject: that node accepts writes off the published line.
     */
    MULTIPLE_PRIMARIES("MultiplePrimaries"),
    /** No primary was found: nothing is written. */
    NO_PRIMARY("NoPrimary"),
    /**
     * Nothing proves that the only primary continues the published line, or a standby shows that it
     * was left behind.
     */
    STALE_PRIMARY("StalePrimary"),
    /** A node belongs to another cluster, or it is unclear which cluster is ours. */
    FOREIGN_NODE("ForeignNode"),
    /** No listed node is published yet, and the answers are not enough for a first run. */
    FIRST_RUN("FirstRun"),
    /** A node under an entry that is new claims to be the published primary. */
    UNKNOWN_ALIAS("UnknownAlias"),
    /** A standby is ahead of the published primary. */
    STANDBY_AHEAD("StandbyAhead"),
    /** A standby has WAL that the new primary lacks. */
    LEFT_BEHIND("LeftBehind"),
    /** The published primary has no connection left for our role. */
    PRIMARY_FULL("PrimaryFull"),
    /** Sessions at the primary cannot write unless they turn a setting off. */
    READ_ONLY_PRIMARY("ReadOnlyPrimary"),
    /** A standby that is read from has had no WAL receiver for minutes. */
    NO_RECEIVER("NoWalReceiver"),
    /** The lag of a standby has only grown for minutes. */
    LAG_GROWS("LagGrows"),
    /** A node that is read from has been UNKNOWN for minutes. */
    STANDBY_UNVERIFIED("StandbyUnverified"),
    /** A rule that a route adds refuses the topology; the subject is the name of the rule. */
    RULE("Rule"),
    /** Fewer nodes than MIN_REACHABLE_NODES could be verified. */
    QUORUM("NoQuorum"),
    /** An annotation of the Endpoints, or STATE, cannot be read. */
    UNREADABLE_STATE("UnreadableState"),
    /** Writing is paused. */
    PAUSED("Paused"),
    /** Endpoints were written. */
    WRITTEN("Written"),
    /** Clients of the Service that is the subject see other addresses than those written. */
    MISMATCH("Mismatch"),
    /** The Kubernetes API was unreachable or refused a request, or a Service is unusable. */
    PUBLISH_FAILED("PublishFailed"),
    /** An error of the program itself ended the cycle, which decided nothing. */
    CYCLE_FAILED("CycleFailed"),
    /** No node is known. */
    NO_NODES("NoNodes"),
    /** A route of the cycles is stopped. */
    CYCLES_STOPPED("CyclesStopped"),
    /** A check is off, or a setting is allowed but probably a mistake. */
    DEGRADED("Degraded"),
    /** A condition that was reported is over. */
    RECOVERED("Recovered");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    /**
     * Returns the kind of a verified topology.
     *
     * @param before the signature of the topology that was verified last; null if there was none
     */
    static Kind ofChange(String before, String after) {
      if (before == null || before.equals(after)) {
        return TOPOLOGY_VERIFIED;
      }
      String primary = after.substring(0, after.indexOf(';') + 1);
      return before.startsWith(primary) ? TOPOLOGY_CHANGED : PRIMARY_CHANGED;
    }

    /** Returns the kind of a refusal by this rule. */
    static Kind of(Rule rule) {
      return switch (rule) {
        case UNREADABLE -> UNREADABLE_STATE;
        case NO_MAJORITY -> FOREIGN_NODE;
        case SPLIT_BRAIN, SPLIT_BRAIN_LASTS -> MULTIPLE_PRIMARIES;
        case NO_PRIMARY -> NO_PRIMARY;
        case QUORUM -> QUORUM;
        case FIRST_RUN -> FIRST_RUN;
        case PROMOTED_APART, UNPROVEN, NEWER_LINE -> STALE_PRIMARY;
        case OWN -> RULE;
        case VERIFIED -> throw new IllegalArgumentException("not refused");
      };
    }

    /** Returns the kind of a condition that a verdict reports in addition to its rule. */
    static Kind of(Report.Topic topic) {
      return switch (topic) {
        case DEAD_BRANCH -> MULTIPLE_PRIMARIES;
        case UNKNOWN_ALIAS -> UNKNOWN_ALIAS;
        case STANDBY_AHEAD -> STANDBY_AHEAD;
        case NEWER_LINE -> STALE_PRIMARY;
        case LEFT_BEHIND -> LEFT_BEHIND;
        case FULL -> PRIMARY_FULL;
        case READ_ONLY_PRIMARY -> READ_ONLY_PRIMARY;
        case NO_RECEIVER -> NO_RECEIVER;
        case LAG_GROWS -> LAG_GROWS;
        case UNVERIFIED -> STANDBY_UNVERIFIED;
        case REFUSED, LINE_UNPROVEN -> throw new IllegalArgumentException("no condition");
      };
    }

    /** Whether this is an event: no alert reports an end if a later cycle does not find it. */
    boolean isOfOneMoment() {
      return this == LEFT_BEHIND;
    }

    /** The name in JSON and in conditions of routes: {@code ${body.kind} == 'NoPrimary'}. */
    @Override
    @JsonValue
    public String toString() {
      return title;
    }
  }
}
