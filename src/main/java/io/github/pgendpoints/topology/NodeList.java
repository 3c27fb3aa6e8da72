package io.github.pgendpoints.topology;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A list of nodes from PG_NODES or the annotation {@code postgres.discovery/nodes}: {@code host},
 * {@code host:port}, {@code ipv6} or {@code [ipv6]:port}, separated by commas.
 *
 * @param nodes in the order written, each once
 * @param duplicates entries that were written more than once
 */
public record NodeList(List<Node> nodes, List<Node> duplicates) {
  /** The limit of one Endpoints object: kube-controller-manager mirrors no more addresses. */
  private static final int MAX_NODES = 1000;

  private static final Pattern DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");
  private static final Pattern SECRET = Pattern.compile("[@=?]");
  private static final Pattern IPV6 =
      Pattern.compile(
          "\\[?(\\p{XDigit}{0,4}:){2,7}(\\p{XDigit}{0,4}|[0-9.]{5,15})(%\\w{1,15})?(](\\w|:\\w{0,5})?)?");
  private static final Pattern HOST_AND_PORT = Pattern.compile("[^:]*:\\d{0,5}");
  private static final Pattern PORT = Pattern.compile("\\d{1,5}");
  private static final Pattern BRACKETED = Pattern.compile("\\[([^\\]]*)](?::(.*))?");
  private static final Pattern NAME =
      Pattern.compile("(?=.{1,253}$)[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(\\.[A-Za-z0-9_-]{1,63})*\\.?");

  public NodeList {
    nodes = List.copyOf(nodes);
    duplicates = List.copyOf(duplicates);
  }

  /**
   * Parses a list.
   *
   * @param text at least one item
   * @param defaultPort the port of items without a port
   * @param allowLoopback whether loopback addresses are allowed, which tests on one machine need
   * @throws IllegalArgumentException when the list is invalid; the message names every wrong item,
   *     its fault and what is allowed
   */
  public static NodeList parse(String text, int defaultPort, boolean allowLoopback) {
    List<String> faults = new ArrayList<>();
    Set<Node> nodes = new LinkedHashSet<>();
    Set<Node> duplicates = new LinkedHashSet<>();
    for (String item : text.split(",", -1)) {
      try {
        Node node = parseItem(item.strip(), defaultPort, allowLoopback);
        if (!nodes.add(node)) {
          duplicates.add(node);
        }
      } catch (IllegalArgumentException e) {
        faults.add(e.getMessage());
      }
    }
    if (nodes.size() > MAX_NODES) {
      faults.add(nodes.size() + " nodes are more than the " + MAX_NODES + " allowed");
    }
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", faults));
    }
    return new NodeList(List.copyOf(nodes), List.copyOf(duplicates));
  }

  /** Formats the list so that {@link #parse} can read it. */
  public static String text(List<Node> nodes) {
    return nodes.stream().map(Node::name).collect(Collectors.joining(","));
  }

  /** Whether the text after a colon may be a password: of a user, or in a line of a .pgpass. */
  public static boolean mayHoldPassword(String item) {
    String bare = item.strip();
    return bare.contains(":")
        && !HOST_AND_PORT.matcher(bare).matches()
        && !IPV6.matcher(bare).matches();
  }

  private static Node parseItem(String item, int defaultPort, boolean allowLoopback) {
    if (item.isEmpty()) {
      throw new IllegalArgumentException("an item is empty");
    }
    if (item.contains("//") || SECRET.matcher(item).find()) {
      // Not repeated in the message: it may contain a password.
      throw new IllegalArgumentException("an item is a URL or a connection string");
    }
    if (mayHoldPassword(item)) {
      // Not repeated either, for the same reason.
      int colon = item.indexOf(':');
      throw new IllegalArgumentException(
          colon == item.lastIndexOf(':')
              ? "'" + item.substring(0, colon) + ":***': its port is not 1 to 65535"
              : "an item has several colons and is no IPv6 address");
    }
    Matcher bracketed = BRACKETED.matcher(item);
    if (bracketed.matches()) {
      if (bracketed.group(1).indexOf(':') < 0) {
        throw new IllegalArgumentException("'" + item + "' has no IPv6 address in its brackets");
      }
      return Node.of(
          usable(item, bracketed.group(1), allowLoopback),
          port(item, bracketed.group(2), defaultPort),
          defaultPort);
    }
    if (item.indexOf(':') != item.lastIndexOf(':')) {
      // Without brackets everything belongs to the address: 2001:db8::1:5433 has no port.
      return Node.of(usable(item, item, allowLoopback), defaultPort, defaultPort);
    }
    String[] hostAndPort = item.split(":", -1);
    String host = hostAndPort[0];
    int port = port(item, hostAndPort.length == 1 ? null : hostAndPort[1], defaultPort);
    if (DIGITS_AND_DOTS.matcher(host).matches()) {
      return Node.of(usable(item, host, allowLoopback), port, defaultPort);
    }
    if (!NAME.matcher(host).matches()) {
      throw new IllegalArgumentException("'" + item + "' is neither a host name nor an IP address");
    }
    return Node.of(host.toLowerCase(Locale.ROOT), port, defaultPort);
  }

  private static int port(String item, String text, int unset) {
    if (text == null) {
      return unset;
    }
    if (PORT.matcher(text).matches()) {
      int port = Integer.parseInt(text);
      if (port >= 1 && port <= 65535) {
        return port;
      }
    }
    throw new IllegalArgumentException("'" + item + "': its port is not 1 to 65535");
  }

  /** Returns the address in its canonical form; throws an exception if Kubernetes refuses it. */
  private static String usable(String item, String text, boolean allowLoopback) {
    InetAddress address;
    try {
      address = Addresses.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("'" + item + "' is not an IP address", e);
    }
    String refused = Addresses.refusedAs(address);
    if (refused != null && !(allowLoopback && address.isLoopbackAddress())) {
      throw new IllegalArgumentException(
          "'%s' is %s address, which Kubernetes refuses"
              .formatted(item, (refused.startsWith("u") ? "an " : "a ") + refused));
    }
    return Addresses.text(address);
  }
}
