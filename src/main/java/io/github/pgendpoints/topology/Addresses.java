package io.github.pgendpoints.topology;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/** Sorts, formats and checks IP addresses for the Endpoints and the signature. */
public final class Addresses {
  /** Sorts IPv4 before IPv6, each in numeric order, so that 10.0.0.9 comes before 10.0.0.10. */
  public static final Comparator<String> NUMERIC =
      Comparator.comparing(
          address -> parse(address).getAddress(),
          Comparator.<byte[]>comparingInt(bytes -> bytes.length)
              .thenComparing(Arrays::compareUnsigned));

  // No leading zeros: some parsers read them as octal, and Kubernetes refuses them.
  private static final Pattern IPV4 =
      Pattern.compile(
          "(OCTET\\.){3}OCTET".replace("OCTET", "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"));

  private static final Pattern IPV6_CHARACTERS = Pattern.compile("[0-9A-Fa-f:.]+");

  private Addresses() {}

  /** Whether {@code text} is an IPv4 or IPv6 address rather than a name. */
  public static boolean isAddress(String text) {
    return text.indexOf(':') >= 0 || IPV4.matcher(text).matches();
  }

  /**
   * Parses an address without a DNS lookup.
   *
   * @throws IllegalArgumentException when {@code text} is not an IP address
   */
  public static InetAddress parse(String text) {
    // For text that does not begin like an address, such as z:1, getByName would query DNS.
    if (!IPV4.matcher(text).matches() && !isLikeIpv6(text)) {
      throw new IllegalArgumentException("'" + text + "' is not an IP address");
    }
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("'" + text + "' is not an IP address", e);
    }
  }

  private static boolean isLikeIpv6(String text) {
    return text.indexOf(':') >= 0 && IPV6_CHARACTERS.matcher(text).matches();
  }

  /** Returns the address as text, IPv6 in the short form of RFC 5952 ({@code 2001:db8::1}). */
  public static String text(InetAddress address) {
    if (address instanceof Inet4Address) {
      return address.getHostAddress();
    }
    List<String> groups = List.of(address.getHostAddress().replaceFirst("%.*", "").split(":"));
    int start = 0;
    int length = 0;
    for (int i = 0; i < groups.size(); i++) {
      int end = i;
      while (end < groups.size() && groups.get(end).equals("0")) {
        end++;
      }
      if (end - i > length) {
        start = i;
        length = end - i;
      }
    }
    return length < 2
        ? String.join(":", groups)
        : String.join(":", groups.subList(0, start))
            + "::"
            + String.join(":", groups.subList(start + length, groups.size()));
  }

  /**
   * Why Kubernetes refuses {@code address} in Endpoints (ValidateEndpoints, 422 Invalid): {@code
   * loopback}, {@code link-local}, {@code link-local multicast} or {@code unspecified}; null when
   * it accepts it.
   */
  public static String refusedAs(InetAddress address) {
    if (address.isLoopbackAddress()) {
      return "loopback";
    }
    if (address.isLinkLocalAddress()) {
      return "link-local";
    }
    if (address.isMCLinkLocal()) {
      return "link-local multicast";
    }
    return address.isAnyLocalAddress() ? "unspecified" : null;
  }

  /** The address in an entry such as {@code 10.0.0.1:5432} or {@code [2001:db8::1]:5432}. */
  public static String withoutPort(String entry) {
    return entry.substring(0, entry.lastIndexOf(':')).replaceAll("^\\[|]$", "");
  }

  /** {@code host:port}; IPv6 in brackets. */
  public static String withPort(String host, int port) {
    return bracketed(host) + ":" + port;
  }

  /** {@code host}, or {@code host:port} if the port is not the default; IPv6 in brackets. */
  public static String withPort(String host, int port, int defaultPort) {
    return port == defaultPort ? bracketed(host) : withPort(host, port);
  }

  private static String bracketed(String host) {
    return host.indexOf(':') >= 0 ? "[" + host + "]" : host;
  }
}
