package io.github.pgendpoints.topology;

import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes the findings of a cycle as sentences for operators: the refusal first. */
final class Reports {
  private static final String OVERRULE = "; to accept it: postgres-endpoint-manager overrule %s";
  private static final String OVERRULE_OTHER =
      "; if %1$s is right all the same: postgres-endpoint-manager overrule %1$s";
  private static final String OVERRULE_ONE =
      "; to accept one of them: postgres-endpoint-manager overrule ENTRY";

  private final Situation now;
  private final Map<Node, StandbyClass> standbys;
  private final ReadOnly readOnly;
  private final List<Report> reports = new ArrayList<>();

  /**
   * @param readOnly the members of the read-only Service; null unless verified
   */
  Reports(Situation now, Map<Node, StandbyClass> standbys, ReadOnly readOnly) {
    this.now = now;
    this.standbys = standbys;
    this.readOnly = readOnly;
  }

  List<Report> of(Rule rule) {
    if (rule != Rule.VERIFIED) {
      add(Report.Topic.REFUSED, "", headline(rule), details(rule));
    }
    now.deadBranches()
        .forEach(
            dead ->
                add(
                    Report.Topic.DEAD_BRANCH,
                    dead.node().name(),
                    "multiple primaries",
                    deadBranch(dead)));
    now.unknownAliases()
        .forEach(
            alias ->
                add(
                    Report.Topic.UNKNOWN_ALIAS,
                    alias.node().name(),
                    "unknown alias",
                    "%s claims to be the published primary %s, which answers at %s; it is put behind neither Service%s"
                        .formatted(
                            at(alias),
                            now.published().primary().name(),
                            now.published().primary().endpoint(),
                            OVERRULE.formatted(now.published().primary().endpoint()))));
    if (rule == Rule.VERIFIED) {
      ofVerified();
    }
    reports.addAll(new TrendReports(now, standbys, readOnly).all());
    return reports;
  }

  private void ofVerified() {
    for (NodeState standby : now.topology().standbys()) {
      if (standbys.get(standby.node()) == StandbyClass.AHEAD) {
        add(
            Report.Topic.STANDBY_AHEAD,
            standby.node().name(),
            "standby ahead of the primary",
            "%s is %s (the primary is %s); the primary may have lost WAL, and the standby keeps its place"
                .formatted(
                    at(standby),
                    new StandbyCase(standby, now.candidate(), now.topology())
                        .why(StandbyClass.AHEAD),
                    at(now.candidate())));
      }
    }
    for (NodeState standby : now.onNewerLine()) {
      add(
          Report.Topic.NEWER_LINE,
          standby.node().name(),
          "newer line",
          "standby %s is on timeline %d, which continues timeline %d of the published primary %s; its primary may be out of reach"
              .formatted(
                  at(standby),
                  standby.server().timeline(),
                  now.candidate().server().timeline(),
                  at(now.candidate())));
    }
    now.leftBehind()
        .forEach(
            (standby, bytes) ->
                add(
                    Report.Topic.LEFT_BEHIND,
                    standby.node().name(),
                    "WAL left behind",
                    "standby %s has %d bytes of timeline %d that the new primary %s lacks"
                        .formatted(
                            at(standby),
                            bytes,
                            now.published().line().timeline(),
                            at(now.candidate()))));
    if (now.candidate().isFull()) {
      add(
          Report.Topic.FULL,
          now.candidate().node().name(),
          "primary is full",
          "%s has no connection left for us and keeps its place: %s"
              .formatted(at(now.candidate()), now.candidate().reason()));
    }
    Line line = now.published().line();
    if (line != null
        && line.begin() != null
        && now.candidate().server() != null
        && now.candidate().server().timeline() != null
        && !now.candidate().server().rights().contains(Right.HISTORY)) {
      add(
          Report.Topic.LINE_UNPROVEN,
          "",
          "history not granted",
          "%s no longer lets our role read the history of its timeline: from now on a higher timeline alone counts as a promotion"
              .formatted(at(now.candidate())));
    }
  }

  private void add(Report.Topic topic, String subject, String headline, String details) {
    reports.add(new Report(topic, subject, headline, details));
  }

  private String headline(Rule rule) {
    return switch (rule) {
      case UNREADABLE -> "unreadable state";
      case NO_MAJORITY -> "no majority of one system identifier";
      case SPLIT_BRAIN -> "multiple primaries";
      case NO_PRIMARY -> "no primary";
      case SPLIT_BRAIN_LASTS -> "rival primary unaccounted for";
      case QUORUM ->
          "%d of %d nodes verified, fewer than the %d of MIN_REACHABLE_NODES"
              .formatted(now.reachable(), now.listed(), now.quorum());
      case FIRST_RUN -> "first run";
      case PROMOTED_APART -> "primary promoted apart";
      case UNPROVEN -> "unproven primary";
      case NEWER_LINE -> "stale primary";
      case VERIFIED, OWN -> throw new IllegalArgumentException("not refused");
    };
  }

  private String details(Rule rule) {
    NodeState candidate = now.candidate();
    PublishedPrimary published = now.published().primary();
    return switch (rule) {
      case UNREADABLE -> String.join("; ", now.published().faults());
      case NO_MAJORITY ->
          "%s%s"
              .formatted(
                  now.topology().reachable().stream()
                      .map(
                          node ->
                              "%s is a %s of %s"
                                  .formatted(
                                      node.node(), node.state(), node.server().systemIdentifier()))
                      .collect(Collectors.joining(", ")),
                  OVERRULE_ONE);
      case SPLIT_BRAIN ->
          "%s%s%s"
              .formatted(
                  now.candidates().stream().map(this::described).collect(Collectors.joining(", ")),
                  parted(),
                  OVERRULE_ONE);
      case NO_PRIMARY -> now.asked() + overruleOthers();
      case SPLIT_BRAIN_LASTS ->
          new Rivals(now).unaccounted().stream().anyMatch(Rival::isOutlived)
              ? outlived()
              : "%s; %s; it is over when each of them is a standby, a dead branch, or FOREIGN, is off PG_NODES (whose names must all resolve), or stays DOWN for 30 s of continuous mode while no standby has WAL that the primary lacks%s"
                  .formatted(
                      new Rivals(now)
                          .unaccounted().stream()
                              .map(
                                  rival ->
                                      "%s was a primary beside %s since %s"
                                          .formatted(
                                              rival.name(),
                                              at(candidate),
                                              rival.since().truncatedTo(ChronoUnit.SECONDS)))
                              .collect(Collectors.joining(", ")),
                      now.asked(),
                      OVERRULE.formatted(candidate.endpoint()));
      case QUORUM -> now.asked().toString();
      case FIRST_RUN ->
          "%s is a primary%s, and %s; %s%s"
              .formatted(
                  at(candidate),
                  published.endpoint() != null && now.isAnotherFirst()
                      ? ", but %s is published".formatted(published.endpoint())
                      : "",
                  now.reachable() > now.listed() / 2
                      ? "a standby is ahead of it"
                      : "no majority of the listed servers answers (%d of %d)"
                          .formatted(now.reachable(), now.listed()),
                  now.asked(),
                  OVERRULE.formatted(candidate.endpoint()));
      case PROMOTED_APART ->
          "%s is on timeline %d, and so is the published primary %s, another server; %s%s"
              .formatted(
                  at(candidate),
                  candidate.server().timeline(),
                  known(published),
                  now.asked(),
                  OVERRULE.formatted(candidate.endpoint()));
      case UNPROVEN ->
          "%s is on %s, the published primary %s is on %s, and whether the one continues the other is not known (%s); %s%s"
              .formatted(
                  at(candidate),
                  candidate.server().timeline() == null
                      ? "a timeline that it does not report"
                      : "timeline " + candidate.server().timeline(),
                  known(published),
                  published.line(),
                  missingProof(candidate.server(), published.line()),
                  now.asked(),
                  OVERRULE.formatted(candidate.endpoint()));
      case NEWER_LINE ->
          "%s is on timeline %d, and %s; %s%s"
              .formatted(
                  at(candidate),
                  candidate.server().timeline(),
                  now.onNewerLine().stream()
                      .map(
                          standby ->
                              "the standby %s is on timeline %d, which continues it"
                                  .formatted(standby.node(), standby.server().timeline()))
                      .collect(Collectors.joining(", ")),
                  now.asked(),
                  OVERRULE.formatted(candidate.endpoint()));
      case VERIFIED, OWN -> throw new IllegalArgumentException("not refused");
    };
  }

  private String outlived() {
    NodeState candidate = now.candidate();
    return "%s was a primary of the split brain, was DOWN when %s was published, and may lack its writes; %s; it is over when %s answers as a primary or a standby, or is off PG_NODES%s"
        .formatted(
            at(candidate),
            known(now.published().primary()),
            now.asked(),
            known(now.published().primary()),
            OVERRULE.formatted(candidate.endpoint()));
  }

  /** Which missing value would prove how a server relates to this line, and why it is missing. */
  private static String missingProof(Server server, Line line) {
    Protection missing =
        server.timeline() == null
            ? Protection.STALE_PRIMARY
            : server.withholdsCluster(line) ? Protection.FOREIGN_NODES : null;
    if (missing == null) {
      return server.lineage().isRead()
          ? "its history starts at timeline "
              + server.lineage().history().ancestors().get(0).timeline()
          : server.lineage().reason();
    }
    UnreadValue unread = server.unread().get(missing);
    return "%s: %s"
        .formatted(
            missing == Protection.STALE_PRIMARY ? "its timeline" : "its system identifier",
            unread == null ? "not reported" : unread.reason());
  }

  /** A primary that is foreign or off the line may be the right one: after pg_upgrade. */
  private String overruleOthers() {
    List<NodeState> others = new ArrayList<>(now.deadBranches());
    others.addAll(now.topology().foreign());
    return others.isEmpty()
        ? ""
        : others.size() == 1 ? OVERRULE_OTHER.formatted(others.get(0).endpoint()) : OVERRULE_ONE;
  }

  private String deadBranch(NodeState dead) {
    Line line = now.published().line();
    History history = now.candidate() == null ? null : now.candidate().history();
    long timeline = dead.server().timeline();
    Lsn begin = dead.server().begin();
    // If a timeline of the same number begins elsewhere, the line was never on this one.
    boolean isAncestor =
        history != null && (begin == null || begin.equals(history.beginOf(timeline)));
    Lsn end = isAncestor ? history.endOf(timeline) : null;
    String left =
        end != null
            ? "which the published line left at " + end
            : timeline < line.timeline()
                ? "older than the published " + line
                : timeline == line.timeline()
                    ? "begun at %s, which is not the published %s"
                        .formatted(dead.server().begin(), line)
                    : "whose history does not contain the published " + line;
    return "%s accepts writes on timeline %d, %s; fence it".formatted(at(dead), timeline, left);
  }

  private String described(NodeState primary) {
    PrimaryClass is =
        primary.hasAnswered() ? now.classes().get(primary.node()) : PrimaryClass.PUBLISHED;
    return primary.server() == null
        ? "%s (%s, %s)".formatted(at(primary), is, primary.reason())
        : "%s (%s, system identifier %s, timeline %s, LSN %s)"
            .formatted(
                at(primary),
                is,
                primary.server().systemIdentifier(),
                primary.server().timeline(),
                primary.server().lsn());
  }

  /** Where the first of several primaries diverged from the others, as far as histories show. */
  private String parted() {
    StringBuilder parted = new StringBuilder();
    List<NodeState> withHistory =
        now.candidates().stream().filter(node -> node.history() != null).toList();
    for (NodeState other :
        withHistory.subList(Math.min(1, withHistory.size()), withHistory.size())) {
      History.Ancestor shared = withHistory.get(0).history().partedFrom(other.history());
      if (shared != null) {
        parted.append(
            "; %s and %s parted on timeline %d at %s"
                .formatted(
                    withHistory.get(0).node(), other.node(), shared.timeline(), shared.end()));
      }
    }
    return parted.toString();
  }

  static String at(NodeState node) {
    return node.node() + " at " + node.address();
  }

  static String known(PublishedPrimary published) {
    return published.name() == null
        ? published.endpoint() == null ? "at an unknown address" : "at " + published.endpoint()
        : published.name();
  }
}
