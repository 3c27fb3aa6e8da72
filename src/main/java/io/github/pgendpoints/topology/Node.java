package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * One entry of the node list.
 *
 * @param host a name or an IP address, without brackets
 * @param port 1 to 65535
 * @param name how the entry is called in logs and errors: the host, with the port where it is not
 *     the cluster's own
 */
public record Node(String host, int port, String name) {
  public Node {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(name, "name");
  }

  /** A node whose name shows its port only where it is not {@code defaultPort}. */
  public static Node of(String host, int port, int defaultPort) {
    return new Node(host, port, Addresses.withPort(host, port, defaultPort));
  }

  @Override
  public String toString() {
    return name;
  }
}
