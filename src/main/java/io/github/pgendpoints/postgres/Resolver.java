package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Finds the one address a node is asked at and published with. */
public final class Resolver {
  /** The system's resolver, or a test's. */
  @FunctionalInterface
  interface Lookup {
    InetAddress[] of(String host) throws UnknownHostException;
  }

  private final Executor executor;
  private final boolean allowLoopback;
  private final Lookup lookup;
  private final Map<String, Future<InetAddress[]>> underWay = new ConcurrentHashMap<>();

  /**
   * @param executor runs the look-ups, since the system's resolver knows no timeout of ours
   * @param allowLoopback whether a loopback address is usable
   */
  public Resolver(Executor executor, boolean allowLoopback) {
    this(executor, allowLoopback, InetAddress::getAllByName);
  }

  Resolver(Executor executor, boolean allowLoopback, Lookup lookup) {
    this.executor = executor;
    this.allowLoopback = allowLoopback;
    this.lookup = lookup;
  }

  /**
   * Asks the system's resolver. Of several addresses the lowest is taken, IPv4 before IPv6, so that
   * a name server that turns its answers round does not move the node.
   *
   * @throws SQLException with SQLState 08001 when the name does not resolve (nobody is there), and
   *     08004 when it resolves to an address Kubernetes refuses
   */
  public InetAddress resolve(Node node, Deadline deadline) throws SQLException {
    InetAddress address =
        Addresses.isAddress(node.host()) ? Addresses.parse(node.host()) : lookUp(node, deadline);
    String refused = Addresses.refusedAs(address);
    if (refused != null && !(allowLoopback && address.isLoopbackAddress())) {
      throw new SQLException(
          "resolves to %s, %s, which Kubernetes refuses"
              .formatted(Addresses.text(address), refused),
          "08004");
    }
    return address;
  }

  private InetAddress lookUp(Node node, Deadline deadline) throws SQLException {
    try {
      return Arrays.stream(join(node.host()).get(deadline.remainingMillis(), TimeUnit.MILLISECONDS))
          .min((a, b) -> Addresses.NUMERIC.compare(Addresses.text(a), Addresses.text(b)))
          .orElseThrow();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownHostException) {
        throw new SQLException("the name does not resolve", "08001", e);
      }
      throw new IllegalStateException(e);
    } catch (TimeoutException e) {
      throw new SQLException("the name did not resolve within " + deadline, "08001", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + node + " was looked up", e);
    }
  }

  /**
   * Starts a look-up, or joins the one of an earlier cycle that has not ended: it cannot be
   * interrupted, and a new one each cycle would pile up threads while a name server is silent.
   */
  private Future<InetAddress[]> join(String host) {
    FutureTask<InetAddress[]> fresh =
        new FutureTask<>(
            () -> {
              try {
                return lookup.of(host);
              } finally {
                underWay.remove(host);
              }
            });
    Future<InetAddress[]> joined = underWay.putIfAbsent(host, fresh);
    if (joined != null) {
      return joined;
    }
    try {
      executor.execute(fresh);
    } catch (RuntimeException | Error e) {
      // Nobody runs it, such as when no thread can be made: whoever joined it would wait for ever.
      underWay.remove(host, fresh);
      throw e;
    }
    return fresh;
  }
}
