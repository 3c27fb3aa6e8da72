package io.github.pgendpoints.postgres;

import io.github.pgendpoints.topology.Addresses;
import io.github.pgendpoints.topology.Node;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Finds the one address a node is asked at and published with. */
public final class Resolver {
  private final ExecutorService lookups;
  private final Duration timeout;
  private final boolean allowLoopback;

  /**
   * @param lookups runs the look-ups, since the system's resolver knows no timeout of ours
   * @param timeout bound of one look-up
   * @param allowLoopback whether a loopback address is usable
   */
  public Resolver(ExecutorService lookups, Duration timeout, boolean allowLoopback) {
    this.lookups = lookups;
    this.timeout = timeout;
    this.allowLoopback = allowLoopback;
  }

  /**
   * Asks the system's resolver. Of several addresses the lowest is taken, IPv4 before IPv6, so that
   * a name server that turns its answers round does not move the node.
   *
   * @throws SQLException with SQLState 08001 when the name does not resolve (nobody is there), and
   *     08004 when it resolves to an address Kubernetes refuses
   */
  public InetAddress resolve(Node node) throws SQLException {
    InetAddress address = lookUp(node);
    String refused = Addresses.refusedAs(address);
    if (refused != null && !(allowLoopback && address.isLoopbackAddress())) {
      throw new SQLException(
          "resolves to %s, %s, which Kubernetes refuses"
              .formatted(Addresses.text(address), refused),
          "08004");
    }
    return address;
  }

  private InetAddress lookUp(Node node) throws SQLException {
    if (Addresses.isAddress(node.host())) {
      return Addresses.parse(node.host());
    }
    Future<InetAddress[]> lookUp = lookups.submit(() -> InetAddress.getAllByName(node.host()));
    try {
      return Arrays.stream(lookUp.get(timeout.toMillis(), TimeUnit.MILLISECONDS))
          .min((a, b) -> Addresses.NUMERIC.compare(a.getHostAddress(), b.getHostAddress()))
          .orElseThrow();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnknownHostException) {
        throw new SQLException("the name does not resolve", "08001", e);
      }
      throw new IllegalStateException(e);
    } catch (TimeoutException e) {
      throw new SQLException("the name did not resolve within " + timeout, "08001", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + node + " was looked up", e);
    } finally {
      lookUp.cancel(true);
    }
  }
}
