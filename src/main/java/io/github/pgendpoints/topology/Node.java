package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * One entry of the node list.
 *
 * @param host a name or an IP address, without brackets
 * @param port 1 to 65535
 * @param name how the entry is called in logs and errors: the host, with the port where it is not
 *     the cluster's own
 * @param address the one address that is meant, where the name has several; else null
 */
public record Node(String host, int port, String name, String address) {
  public Node {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(name, "name");
  }

  /** A node with all addresses of its name. */
  public Node(String host, int port, String name) {
    this(host, port, name, null);
  }

  /** One of the addresses of this entry, as a node of its own. */
  public Node at(String oneAddress) {
    return new Node(host, port, name + "/" + oneAddress, oneAddress);
  }

  /** The entry of the node list that this is one of the addresses of; else the node itself. */
  public Node entry() {
    return address == null ? this : new Node(host, port, name.replace("/" + address, ""));
  }

  /** Where it is, such as {@code db1:5432}; IPv6 in brackets. */
  public String hostAndPort() {
    return Addresses.withPort(host, port);
  }

  /** A node whose name shows its port only where it is not {@code defaultPort}. */
  public static Node of(String host, int port, int defaultPort) {
    return new Node(host, port, Addresses.withPort(host, port, defaultPort));
  }

  /** Written out, since nodes are keys in each cycle, and what Java makes for records is slow. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Node node
        && port == node.port
        && host.equals(node.host)
        && name.equals(node.name)
        && Objects.equals(address, node.address);
  }

  @Override
  public int hashCode() {
    return 31 * host.hashCode() + port;
  }

  @Override
  public String toString() {
    return name;
  }
}
