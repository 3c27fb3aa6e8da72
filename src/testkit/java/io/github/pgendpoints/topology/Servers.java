package io.github.pgendpoints.topology;

import java.util.Map;
import java.util.Set;

/** Variants of a server that report more, or less, than the original. */
public final class Servers {
  private Servers() {}

  /** Returns the same server with these rights granted. */
  public static Server granting(Set<Right> rights, Server server) {
    return with(
        server,
        server.source(),
        server.replicas(),
        rights,
        server.unread(),
        server.readOnlyByDefault());
  }

  /** Returns the same server with these neighbours in the replication. */
  public static Server between(String source, Set<String> replicas, Server server) {
    return with(
        server, source, replicas, server.rights(), server.unread(), server.readOnlyByDefault());
  }

  /** Returns the same server without the values that these protections need. */
  public static Server notTelling(Map<Protection, UnreadValue> unread, Server server) {
    return with(
        server,
        server.source(),
        server.replicas(),
        server.rights(),
        unread,
        server.readOnlyByDefault());
  }

  /** Returns the same server with this {@code default_transaction_read_only}. */
  public static Server readOnlyByDefault(Boolean told, Server server) {
    return with(server, server.source(), server.replicas(), server.rights(), server.unread(), told);
  }

  private static Server with(
      Server server,
      String source,
      Set<String> replicas,
      Set<Right> rights,
      Map<Protection, UnreadValue> unread,
      Boolean readOnlyByDefault) {
    return new Server(
        server.systemIdentifier(),
        server.startedAt(),
        server.timeline(),
        server.lsn(),
        server.streaming(),
        source,
        replicas,
        rights,
        server.history(),
        unread,
        readOnlyByDefault);
  }
}
