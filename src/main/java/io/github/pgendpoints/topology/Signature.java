package io.github.pgendpoints.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A verified topology as one text, exactly as the Python original stores it: {@code
 * primary:IP;standbys:IP,IP}, the standbys sorted as text, {@code IP:port} where the port is not
 * the cluster's own, IPv6 in brackets.
 */
public final class Signature {
  private static final Pattern FORMAT = Pattern.compile("primary:([^;]+);standbys:(.*)");

  private Signature() {}

  /**
   * The signature of what is published.
   *
   * @param standbys those behind the read-only Service
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
   * The nodes a stored signature names, the primary first.
   *
   * @throws IllegalArgumentException when the text is no signature
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
