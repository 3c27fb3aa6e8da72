package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A verified topology as text, exactly as the Python original stores it: {@code
 * primary:IP;standbys:IP,IP}, the standbys sorted as text, {@code IP:port} if the port is not the
 * default port, IPv6 in brackets.
 */
public final class Signature {
  private static final Pattern FORMAT = Pattern.compile("primary:([^;]+);standbys:(.*)");

  private Signature() {}

  /**
   * Returns the signature of what is published.
   *
   * @param standbys the standbys behind the read-only Service
   * @param defaultPort PGPORT
   */
  public static String of(NodeState primary, List<NodeState> standbys, int defaultPort) {
    return "primary:%s;standbys:%s"
        .formatted(
            item(primary, defaultPort),
            standbys.stream()
                .map(standby -> item(standby, defaultPort))
                .sorted()
                .collect(Collectors.joining(",")));
  }

  /**
   * Returns the signature of what the Services hold.
   *
   * @param defaultPort PGPORT
   */
  public static String of(LastPublished published, int defaultPort) {
    String port = ":" + defaultPort;
    return "primary:%s;standbys:%s"
        .formatted(
            withoutSuffix(published.primary().endpoint(), port),
            published.readOnly().stream()
                .map(endpoint -> withoutSuffix(endpoint, port))
                .sorted()
                .collect(Collectors.joining(",")));
  }

  private static String withoutSuffix(String text, String suffix) {
    return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
  }

  /**
   * Returns the nodes of a stored signature, the primary first.
   *
   * @throws IllegalArgumentException when the text is not a signature
   */
  public static List<Node> nodes(String signature, int defaultPort, boolean allowLoopback) {
    Matcher matcher = FORMAT.matcher(signature);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + signature + "' is not primary:ADDRESS;standbys:ADDRESS,ADDRESS");
    }
    List<String> items = new ArrayList<>();
    items.add(matcher.group(1));
    if (!matcher.group(2).isBlank()) {
      items.add(matcher.group(2));
    }
    return NodeList.parse(String.join(",", items), defaultPort, allowLoopback).nodes();
  }

  private static String item(NodeState node, int defaultPort) {
    return Addresses.withPort(node.address(), node.node().port(), defaultPort);
  }
}
