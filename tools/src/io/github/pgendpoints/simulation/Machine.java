package io.github.pgendpoints.simulation;

import io.github.pgendpoints.topology.Right;
import java.util.EnumSet;
import java.util.Set;

/** The real state of a server. */
final class Machine {
  String name;
  String address;
  Branch branch;
  long lsn;
  boolean primary;
  Machine upstream;
  boolean running = true;
  boolean frozen;
  boolean cut;
  boolean full;
  boolean sendersFull;
  boolean refusing;
  boolean failingHistory;
  boolean hardened;
  long startedAt;

  /** The highest timeline whose history file the server has. */
  long highestKnown = 1;

  /** The lag in bytes of WAL that an operator configured; 0 for none. */
  long delay;

  Set<Right> rights = EnumSet.noneOf(Right.class);

  Machine(String name, String address, Branch branch, long lsn) {
    this.name = name;
    this.address = address;
    this.branch = branch;
    this.lsn = lsn;
  }

  /** Whether the server answers a probe. */
  boolean answers() {
    return running && !frozen && !cut && !refusing && !isFullForUs();
  }

  /** Whether our role gets no connection. A role with REPLICATION can use a WAL sender slot. */
  boolean isFullForUs() {
    return full && (sendersFull || !rights.contains(Right.HISTORY));
  }

  /** Whether all WAL of this server is part of another server's history. */
  boolean isOnTheWayTo(Machine other) {
    return branch == other.branch
        ? lsn <= other.lsn
        : other.branch.descendsFrom(branch) && lsn <= other.branch.endOf(branch);
  }

  boolean streams() {
    return !primary
        && running
        && !frozen
        && upstream != null
        && upstream.running
        && !upstream.frozen
        && isOnTheWayTo(upstream);
  }

  /** Replicates WAL from the upstream, at most this many bytes. */
  void replicate(long bytes) {
    if (!streams()) {
      return;
    }
    long left = bytes;
    while (branch != upstream.branch) {
      long end = upstream.branch.endOf(branch);
      if (end - lsn > left) {
        lsn += left;
        return;
      }
      left -= end - lsn;
      branch = upstream.branch.childOf(branch);
      lsn = end;
    }
    lsn = Math.max(lsn, Math.min(upstream.lsn - delay, lsn + left));
    highestKnown = Math.max(highestKnown, branch.timeline);
  }

  @Override
  public String toString() {
    return "%s at %s: %s%s%s%s%s%s started %d on %s at %x, from %s, rights %s"
        .formatted(
            name,
            address,
            primary ? "PRIMARY" : "STANDBY",
            running ? "" : " stopped",
            frozen ? " frozen" : "",
            cut ? " cut" : "",
            full ? sendersFull ? " full" : " full but for senders" : "",
            refusing ? " refusing" : "",
            startedAt,
            branch,
            lsn,
            upstream == null ? null : upstream.name,
            rights);
  }
}
