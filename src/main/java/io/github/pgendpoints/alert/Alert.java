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
 * One thing worth saying, as every sink gets it; {@code marshal: json} makes an object of these
 * fields.
 *
 * @param phase whether it happened and that is all, or began, lasts, or is over
 * @param ends the kind of the condition that is over by this; null when none is
 * @param subject the node, or else the Service, it is about; empty when it is about the whole
 *     cluster
 * @param key the same whenever the same condition is told of: begun, lasting and over
 * @param message one sentence for people, its subject first
 * @param before the topology that was verified last, as {@code primary:IP;standbys:IP,IP}; null
 *     when there was none
 * @param after the topology that is verified now; null when none is
 * @param nodes what each node is, and why; empty when they were not asked
 * @param since when it happened or began
 * @param at when this alert was made
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

  /** How bad a thing is; the names are those of the log levels. */
  public enum Severity {
    INFO,
    WARN,
    ERROR
  }

  /** Where in its life a condition is. */
  public enum Phase {
    /** No condition: a thing of one moment. */
    HAPPENED,
    /** A condition that was not there in the cycle before. */
    BEGAN,
    /** A condition that was told of before: its details are others, or ALERT_REPEAT has passed. */
    LASTS,
    /** The end of a condition. */
    OVER
  }

  /**
   * Whose alert it is.
   *
   * @param readWrite the name of RW_SERVICE
   * @param readOnly the name of RO_SERVICE
   */
  public record Cluster(String namespace, String readWrite, String readOnly) {
    /** The key of a condition of this cluster. */
    public String key(Kind kind, String subject) {
      String key = namespace + "/" + readWrite + "/" + kind;
      return subject.isEmpty() ? key : key + "/" + subject;
    }
  }

  /**
   * What one node is.
   *
   * @param name the entry of PG_NODES
   * @param address the IP address it was asked at; null when its name did not resolve
   * @param state PRIMARY, STANDBY, DOWN, UNKNOWN or FOREIGN
   * @param reason why it is DOWN, UNKNOWN or FOREIGN; else empty
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

  /** What can happen. */
  public enum Kind {
    /** A topology was verified whose primary is another than before. */
    PRIMARY_CHANGED("PrimaryChanged"),
    /** A topology was verified that is the one before, or the first there is. */
    TOPOLOGY_VERIFIED("TopologyVerified"),
    /** A topology was verified whose standbys are others than before. */
    TOPOLOGY_CHANGED("TopologyChanged"),
    /** A node that was a standby is DOWN. */
    STANDBY_LOST("StandbyLost"),
    /** A standby answers, and is not read from. */
    STANDBY_LEFT_OUT("StandbyLeftOut"),
    /** A standby is there again, or is read from again. */
    STANDBY_BACK("StandbyBack"),
    /** A node that was no standby is DOWN. */
    NODE_DOWN("NodeDown"),
    /** A node answers, and what it is could not be verified. */
    NODE_UNKNOWN("NodeUnknown"),
    /** A node is a primary or a standby again, or has changed from the one to the other. */
    NODE_CHANGED("NodeChanged"),
    /**
     * More than one server could be the primary: nothing is written. With a subject: that node
     * accepts writes off the published line.
     */
    MULTIPLE_PRIMARIES("MultiplePrimaries"),
    /** No primary was found: nothing is written. */
    NO_PRIMARY("NoPrimary"),
    /**
     * Nothing proves that the only primary continues the published line, or a standby shows that it
     * was left behind.
     */
    STALE_PRIMARY("StalePrimary"),
    /** A node belongs to another cluster, or which cluster is ours cannot be told. */
    FOREIGN_NODE("ForeignNode"),
    /** Nothing of ours is published yet, and what answers is not enough to begin with. */
    FIRST_RUN("FirstRun"),
    /** A node claims to be the published primary, under an entry that was never seen. */
    UNKNOWN_ALIAS("UnknownAlias"),
    /** A standby is ahead of the published primary. */
    STANDBY_AHEAD("StandbyAhead"),
    /** A standby has WAL that the new primary lacks. */
    LEFT_BEHIND("LeftBehind"),
    /** The published primary has no connection left for us. */
    PRIMARY_FULL("PrimaryFull"),
    /** Sessions at the primary cannot write unless they turn a setting off. */
    READ_ONLY_PRIMARY("ReadOnlyPrimary"),
    /** A standby that is read from has had no WAL receiver for minutes. */
    NO_RECEIVER("NoWalReceiver"),
    /** The lag of a standby has only grown for minutes. */
    LAG_GROWS("LagGrows"),
    /** A node that is read from has been UNKNOWN for minutes. */
    STANDBY_UNVERIFIED("StandbyUnverified"),
    /** A rule that a route adds refuses; the subject is its name. */
    RULE("Rule"),
    /** Fewer nodes than MIN_REACHABLE_NODES could be verified. */
    QUORUM("NoQuorum"),
    /** What the Endpoints remember cannot be read. */
    UNREADABLE_STATE("UnreadableState"),
    /** Writing is paused. */
    PAUSED("Paused"),
    /** Endpoints were written. */
    WRITTEN("Written"),
    /** The clients of a Service, the subject, see other addresses than those written. */
    MISMATCH("Mismatch"),
    /**
     * The Kubernetes API could not be reached or refused a request, or a Service is not as it must
     * be.
     */
    PUBLISH_FAILED("PublishFailed"),
    /** The cycle ended by an error of the program itself: it decided nothing. */
    CYCLE_FAILED("CycleFailed"),
    /** No node is known. */
    NO_NODES("NoNodes"),
    /** Somebody stopped the routes of the cycles. */
    CYCLES_STOPPED("CyclesStopped"),
    /** A check is off, or a setting is odd. */
    DEGRADED("Degraded"),
    /** A condition that was reported is over. */
    RECOVERED("Recovered");

    private final String title;

    Kind(String title) {
      this.title = title;
    }

    /**
     * The kind of a verified topology.
     *
     * @param before its signature before; null when there was none
     */
    static Kind ofChange(String before, String after) {
      if (before == null || before.equals(after)) {
        return TOPOLOGY_VERIFIED;
      }
      String primary = after.substring(0, after.indexOf(';') + 1);
      return before.startsWith(primary) ? TOPOLOGY_CHANGED : PRIMARY_CHANGED;
    }

    /** The kind of a refusal by this rule. */
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

    /** The kind of a condition that a verdict reports beside its rule. */
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

    /** Whether a cycle that does not find it again says nothing of its end. */
    boolean isOfOneMoment() {
      return this == LEFT_BEHIND;
    }

    /** As JSON has it, and conditions in a route: {@code ${body.kind} == 'NoPrimary'}. */
    @Override
    @JsonValue
    public String toString() {
      return title;
    }
  }
}
