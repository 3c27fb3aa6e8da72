package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * What a server that was asked says of itself.
 *
 * @param systemIdentifier {@code pg_control_system().system_identifier}: the same on a primary and
 *     its standbys, different after any other initdb
 * @param startedAt {@code pg_postmaster_start_time()} as the server prints it; with the system
 *     identifier it tells whether two addresses are one server
 * @param timeline of the WAL being written; null on a standby
 * @param lsn the current WAL position on a primary, the replayed one on a standby; null when the
 *     standby has replayed nothing yet
 */
public record Server(String systemIdentifier, String startedAt, Long timeline, String lsn) {
  public Server {
    Objects.requireNonNull(systemIdentifier, "systemIdentifier");
    Objects.requireNonNull(startedAt, "startedAt");
  }

  /** Whether {@code other} is this very server, seen under another name or address. */
  boolean isSameAs(Server other) {
    return systemIdentifier.equals(other.systemIdentifier) && startedAt.equals(other.startedAt);
  }
}
