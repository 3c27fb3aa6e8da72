package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * What a server that was asked says of itself. What it may not say to our role is null, and the
 * protection that needs it is off.
 *
 * @param systemIdentifier {@code pg_control_system().system_identifier}: the same on a primary and
 *     its standbys, different after any other initdb; null without the right to ask
 * @param startedAt {@code pg_postmaster_start_time()} as the server prints it; with the system
 *     identifier it tells whether two addresses are one server
 * @param timeline on a primary that of the WAL being written, null without the right to ask; on a
 *     standby that of the WAL it streams, null when it streams none or we are not told
 * @param lsn the end of WAL on a primary, the position replayed on a standby; null when the standby
 *     has replayed nothing yet, or without the right to ask
 * @param streaming whether a standby has a WAL receiver; false on a primary
 */
public record Server(
    String systemIdentifier, String startedAt, Long timeline, Lsn lsn, boolean streaming) {
  public Server {
    Objects.requireNonNull(startedAt, "startedAt");
  }

  /** Whether {@code other} is this very server, seen under another name or address. */
  boolean isSameAs(Server other) {
    return Objects.equals(systemIdentifier, other.systemIdentifier)
        && startedAt.equals(other.startedAt);
  }
}
