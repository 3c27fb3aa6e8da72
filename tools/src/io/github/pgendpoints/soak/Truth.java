package io.github.pgendpoints.soak;

import io.github.pgendpoints.support.postgres.PostgresServer;
import io.github.pgendpoints.topology.Lsn;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which servers accepted writes, when, and on which branch of the cluster's history: known from
 * what was done to them, not from what the manager believes. Between an order and its effect a
 * server may or may not be a primary; so each time as one has a time when it can be and, within
 * that, a time when it is for certain.
 */
final class Truth {
  private static final long NOT_YET = Long.MAX_VALUE;

  /**
   * What was written after one promotion. PostgreSQL has no identity for it; this has.
   *
   * @param id counts the promotions of this run
   * @param parent the branch it left; null for the first
   * @param timeline its number, as the server told it
   * @param begin where it left its parent
   */
  record Branch(int id, Branch parent, int timeline, Lsn begin) {
    /** Whether it is another one or continues it. */
    boolean continues(Branch other) {
      for (Branch each = this; each != null; each = each.parent) {
        if (each.id == other.id) {
          return true;
        }
      }
      return false;
    }

    /**
     * Whether it looks to all the world as if it continued another one, though it need not: it has
     * a branch of the same number that begins at the same position.
     */
    boolean looksLikeContinuing(Branch other) {
      for (Branch each = this; each != null; each = each.parent) {
        if (each.timeline == other.timeline && each.begin.equals(other.begin)) {
          return true;
        }
      }
      return false;
    }

    /** Where an ancestor of this one was left; null when that is no ancestor. */
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
   * What the data of a standby is.
   *
   * @param branch whose WAL it has
   * @param atLeast up to where, and maybe further
   * @param since when that became so, as {@link System#nanoTime}
   */
  record Data(Branch branch, Lsn atLeast, long since) {
    private Data(Branch branch) {
      this(branch, Lsn.ZERO, System.nanoTime());
    }

    /** Whether it has WAL that a primary of this branch does not have, and that shows. */
    boolean isOff(Branch primary) {
      if (primary.looksLikeContinuing(branch)) {
        Lsn end = primary.endOf(branch);
        return end != null && atLeast.compareTo(end) > 0;
      }
      return true;
    }
  }

  /** A server's right to write, from its promotion until its data is thrown away. */
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

    /** The branch it writes; null until the promotion has ended. */
    Branch branch() {
      return branch;
    }

    /** 0 until the server was asked. */
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

  /** A server is about to be promoted, or was made as a primary. */
  synchronized void promoting(PostgresServer server) {
    claims.put(server, new Claim(server, ++branches));
    begins(server);
  }

  /** The timeline that a promotion led to, and where it begins. */
  synchronized void promoted(PostgresServer server, int timeline, Lsn begin) {
    Claim claim = claims.get(server);
    Data before = data.remove(server);
    claim.branch =
        new Branch(claim.number, before == null ? null : before.branch(), timeline, begin);
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
  synchronized void follows(PostgresServer server, Branch branch) {
    ended(server);
    claims.remove(server);
    data.put(server, new Data(branch));
  }

  /** A former primary becomes a standby on the data it has. */
  synchronized void givesIn(PostgresServer server) {
    ended(server);
    data.put(server, new Data(claims.remove(server).branch()));
  }

  /** A standby has replayed WAL up to here. */
  synchronized void hasReplayed(PostgresServer server, Lsn lsn) {
    Data known = data.get(server);
    if (known != null && lsn != null && lsn.compareTo(known.atLeast()) > 0) {
      data.put(server, new Data(known.branch(), lsn, known.since()));
    }
  }

  /** What a standby's data is; null for a server that was promoted. */
  synchronized Data data(PostgresServer server) {
    return data.get(server);
  }

  /** Whether a server has run as a primary all the time, be it that it let us in or not. */
  synchronized boolean hasRun(Claim claim, long from, long to) {
    return spans.stream()
        .anyMatch(span -> span.claim == claim && span.certainFrom <= from && span.to >= to);
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
