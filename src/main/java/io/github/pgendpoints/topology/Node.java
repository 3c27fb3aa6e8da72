package io.github.pgendpoints.topology;

import java.util.Objects;

/**
 * One entry of the node list.
 *
 * @param host a name or an IP address, without brackets
 * @param port 1 to 65535
 * @param name the name in logs and errors: the host, with the port if it is not the default port
 * @param address the one address that this node stands for, if the name has several; else null
 */
public record Node(String host, int port, String name, String address) {
  public Node {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(name, "name");
  }

  /** Creates a node for all addresses of its name. */
  public Node(String host, int port, String name) {
    this(host, port, name, null);
  }

  /** Returns a separate node for one address of this entry. */
  public Node at(String oneAddress) {
    return new Node(host, port, name + "/" + oneAddress, oneAddress);
  }

  /** Returns the entry that this node is one address of; otherwise the node itself. */
  public Node entry() {
    return address == null ? this : new Node(host, port, name.replace("/" + address, ""));
  }

  /** Returns the host and port, such as {@code db1:5432}; IPv6 in brackets. */
  public String hostAndPort() {
    return Addresses.withPort(host, port);
  }

  /** Creates a node whose name contains the port only if it is not {@code defaultPort}. */
  public static Node of(String host, int port, int defaultPort) {
    return new Node(host, port, Addresses.withPort(host, port, defaultPort));
  }

  /** Written by hand: nodes are map keys in each cycle, and the equals of a record is slow. */
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
