package io.github.pgendpoints.soak;

import io.github.pgendpoints.support.postgres.PostgresServer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which servers accepted writes, and when: known from what was done to them, not from what the
 * manager believes. Between an order and its effect a server may or may not be a primary; so each
 * time as one has a time when it can be and, within that, a time when it is for certain.
 */
final class Truth {
  private static final long NOT_YET = Long.MAX_VALUE;

  /** A server's right to write, from its promotion until its data is thrown away. */
  static final class Claim {
    private final PostgresServer server;
    private final int branch;
    private volatile int timeline;

    private Claim(PostgresServer server, int branch) {
      this.server = server;
      this.branch = branch;
    }

    PostgresServer server() {
      return server;
    }

    /** Numbers the promotions of this run, which two timelines of one number do not. */
    int branch() {
      return branch;
    }

    /** 0 until the server was asked. */
    int timeline() {
      return timeline;
    }

    @Override
    public String toString() {
      return "%s (promotion %d, timeline %d)".formatted(server.host(), branch, timeline);
    }
  }

  private static final class Span {
    private final Claim claim;
    private final long from = System.nanoTime();
    private long certainFrom = NOT_YET;
    private long certainTo = NOT_YET;
    private long to = NOT_YET;

    private Span(Claim claim) {
      this.claim = claim;
    }
  }

  private final Map<PostgresServer, Claim> claims = new HashMap<>();
  private final List<Span> spans = new ArrayList<>();
  private int branches;

  /** A server is about to be promoted, or was made as a primary. */
  synchronized void promoting(PostgresServer server) {
    claims.put(server, new Claim(server, ++branches));
    begins(server);
  }

  /** The timeline that a promotion led to. */
  synchronized void promoted(PostgresServer server, int timeline) {
    claims.get(server).timeline = timeline;
  }

  /** A server is about to run again; a standby has no claim, and this says nothing of it. */
  synchronized void begins(PostgresServer server) {
    Claim claim = claims.get(server);
    if (claim != null) {
      spans.add(new Span(claim));
    }
  }

  /** A server runs, and whoever asks it learns that it is a primary, if it is one. */
  synchronized void answers(PostgresServer server) {
    open(server).stream()
        .filter(span -> span.certainFrom == NOT_YET)
        .forEach(span -> span.certainFrom = System.nanoTime());
  }

  /** A server is about to end, or not to let everybody in. */
  synchronized void wavers(PostgresServer server) {
    open(server).forEach(span -> span.certainTo = Math.min(span.certainTo, System.nanoTime()));
  }

  /** A server does not run any more. */
  synchronized void ended(PostgresServer server) {
    wavers(server);
    open(server).forEach(span -> span.to = System.nanoTime());
  }

  /** A server becomes a standby, on other data. */
  synchronized void follows(PostgresServer server) {
    ended(server);
    claims.remove(server);
  }

  private List<Span> open(PostgresServer server) {
    return spans.stream()
        .filter(span -> span.claim.server() == server && span.to == NOT_YET)
        .toList();
  }

  /** The claim that a server has, be it running or not; null for a standby. */
  synchronized Claim claim(PostgresServer server) {
    return claims.get(server);
  }

  /** Every claim there is. */
  synchronized List<Claim> claims() {
    return List.copyOf(claims.values());
  }

  /** The claims with which a server can have answered as a primary at some moment between. */
  synchronized List<Claim> possible(PostgresServer server, long from, long to) {
    return spans.stream()
        .filter(span -> span.claim.server() == server && span.from <= to && span.to >= from)
        .map(span -> span.claim)
        .distinct()
        .toList();
  }

  /** Whether a server answered as a primary at every moment between. */
  synchronized boolean isCertain(PostgresServer server, long from, long to) {
    return spans.stream()
        .anyMatch(
            span ->
                span.claim.server() == server && span.certainFrom <= from && span.certainTo >= to);
  }

  /** Forgets what ended before a moment. */
  synchronized void forgetBefore(long moment) {
    spans.removeIf(span -> span.to < moment);
  }
}
