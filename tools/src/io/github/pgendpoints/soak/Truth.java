package io.github.pgendpoints.soak;

import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Lsn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Records which servers accept writes, when, and on which branch of the cluster's history. It knows
 * this from what the harness does to them, not from what the manager believes. Between an order and
 * its effect a server may or may not be a primary. So each period has a possible span and, within
 * that, a certain one.
 */
final class Truth {
  private static final long NOT_YET = Long.MAX_VALUE;

  /**
   * The WAL written after one promotion. PostgreSQL has no identity for it; this record has.
   *
   * @param id the number of the promotion in this run
   * @param parent the branch it left; null for the first
   * @param timeline its number, as the server reported it
   * @param begin the position where it left its parent
   */
  record Branch(int id, Branch parent, int timeline, Lsn begin) {
    /** Whether this branch is the other one or continues it. */
    boolean continues(Branch other) {
      for (Branch each = this; each != null; each = each.parent) {
        if (each.id == other.id) {
          return true;
        }
      }
      return false;
    }

    /**
     * Whether this branch appears to continue another one, although it may not: its history has a
     * branch with the same timeline number and the same begin.
     */
    boolean looksLikeContinuing(Branch other) {
      for (Branch each = this; each != null; each = each.parent) {
        if (each.timeline == other.timeline && each.begin.equals(other.begin)) {
          return true;
        }
      }
      return false;
    }

    /** Returns where this branch left an ancestor; null if the other is no ancestor. */
    Lsn endOf(Branch ancestor) {
      for (Branch each = this; each.parent != null; each = each.parent) {
        if (each.parent.id == ancestor.id) {
          return each.begin;
        }
      }
      return null;
    }

    @Override
    public String toString() {
      return "branch %d, timeline %d%s%s"
          .formatted(
              id,
              timeline,
              parent == null ? "" : " from " + begin,
              parent == null ? "" : " of branch " + parent.id);
    }
  }

  /**
   * The data of a standby.
   *
   * @param branch the branch whose WAL it has
   * @param atLeast the position up to which it has WAL, and maybe further
   * @param since when that became so, as {@link System#nanoTime}
   */
  record Data(Branch branch, Lsn atLeast, long since) {
    private Data(Branch branch) {
      this(branch, Lsn.ZERO, System.nanoTime());
    }

    /** Whether it provably has WAL that a primary of this branch does not have. */
    boolean isOff(Branch primary) {
      if (primary.looksLikeContinuing(branch)) {
        Lsn end = primary.endOf(branch);
        return end != null && atLeast.compareTo(end) > 0;
      }
      return true;
    }
  }

  /** A server's claim to take writes, from its promotion until it becomes a standby. */
  static final class Claim {
    private final PostgresServer server;
    private final int number;
    private volatile Branch branch;

    private Claim(PostgresServer server, int number) {
      this.server = server;
      this.number = number;
    }

    PostgresServer server() {
      return server;
    }

    /** Returns the branch that the server writes; null until the promotion has ended. */
    Branch branch() {
      return branch;
    }

    /** Returns the timeline; 0 until the server has reported it. */
    int timeline() {
      Branch known = branch;
      return known == null ? 0 : known.timeline();
    }

    @Override
    public String toString() {
      return "%s (%s)".formatted(server.host(), branch == null ? "promotion " + number : branch);
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
  private final Map<PostgresServer, Data> data = new HashMap<>();
  private final List<Span> spans = new ArrayList<>();
  private int branches;

  /** Records that a server is about to be promoted, or is created as a primary. */
  synchronized void promoting(PostgresServer server) {
    claims.put(server, new Claim(server, ++branches));
    begins(server);
  }

  /** Records the timeline that a promotion led to, and its begin. */
  synchronized void promoted(PostgresServer server, int timeline, Lsn begin) {
    Claim claim = claims.get(server);
    Data before = data.remove(server);
    claim.branch =
        new Branch(claim.number, before == null ? null : before.branch(), timeline, begin);
  }

  /** Records that a server is about to run again. A standby has no claim: nothing is recorded. */
  synchronized void begins(PostgresServer server) {
    Claim claim = claims.get(server);
    if (claim != null) {
      spans.add(new Span(claim));
    }
  }

  /** Records that a server runs and, if it is a primary, reports that to every client. */
  synchronized void answers(PostgresServer server) {
    open(server).stream()
        .filter(span -> span.certainFrom == NOT_YET)
        .forEach(span -> span.certainFrom = System.nanoTime());
  }

  /** Records that a server is about to stop, or to refuse some clients. */
  synchronized void wavers(PostgresServer server) {
    open(server).forEach(span -> span.certainTo = Math.min(span.certainTo, System.nanoTime()));
  }

  /** Records that a server does not run any more. */
  synchronized void ended(PostgresServer server) {
    wavers(server);
    open(server).forEach(span -> span.to = System.nanoTime());
  }

  /** Records that a server becomes a standby with data of this branch. */
  synchronized void follows(PostgresServer server, Branch branch) {
    ended(server);
    claims.remove(server);
    data.put(server, new Data(branch));
  }

  /** Records that a former primary becomes a standby and keeps its data. */
  synchronized void givesIn(PostgresServer server) {
    ended(server);
    data.put(server, new Data(claims.remove(server).branch()));
  }

  /** Records that a standby has replayed WAL up to this position. */
  synchronized void hasReplayed(PostgresServer server, Lsn lsn) {
    Data known = data.get(server);
    if (known != null && lsn != null && lsn.compareTo(known.atLeast()) > 0) {
      data.put(server, new Data(known.branch(), lsn, known.since()));
    }
  }

  /** Returns the data of a standby; null for a server that was promoted. */
  synchronized Data data(PostgresServer server) {
    return data.get(server);
  }

  /** Whether a server ran as a primary all the time, whether or not it accepted our role. */
  synchronized boolean hasRun(Claim claim, long from, long to) {
    return spans.stream()
        .anyMatch(span -> span.claim == claim && span.certainFrom <= from && span.to >= to);
  }

  private List<Span> open(PostgresServer server) {
    return spans.stream()
        .filter(span -> span.claim.server() == server && span.to == NOT_YET)
        .toList();
  }

  /** Returns the claim of a server, running or not; null for a standby. */
  synchronized Claim claim(PostgresServer server) {
    return claims.get(server);
  }

  /** Returns all claims. */
  synchronized List<Claim> claims() {
    return List.copyOf(claims.values());
  }

  /** Returns the claims with which a server can have answered as a primary in this interval. */
  synchronized List<Claim> possible(PostgresServer server, long from, long to) {
    return spans.stream()
        .filter(span -> span.claim.server() == server && span.from <= to && span.to >= from)
        .map(span -> span.claim)
        .distinct()
        .toList();
  }

  /** Whether a server answered as a primary at every moment of this interval. */
  synchronized boolean isCertain(PostgresServer server, long from, long to) {
    return spans.stream()
        .anyMatch(
            span ->
                span.claim.server() == server && span.certainFrom <= from && span.certainTo >= to);
  }

  /** Forgets the spans that ended before a moment. */
  synchronized void forgetBefore(long moment) {
    spans.removeIf(span -> span.to < moment);
  }
}
