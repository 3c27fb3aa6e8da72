package io.github.pgendpoints.support.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.StatusCause;
import io.fabric8.kubernetes.api.model.StatusCauseBuilder;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** How kube-apiserver normalizes Endpoints before it stores them, and what it rejects. */
final class EndpointsRules {

  private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
  private static final Pattern IPV4 = Pattern.compile(OCTET + "(?:\\." + OCTET + "){3}");
  private static final Pattern IPV6 = Pattern.compile("(?=.*:)[0-9a-fA-F:.]+");

  private EndpointsRules() {}

  /**
   * Brings Endpoints into the form in which they are stored. A read can therefore differ from what
   * was sent: empty lists are absent, and a port without a protocol is TCP.
   */
  static void canonicalize(ObjectNode endpoints) {
    dropEmpty(endpoints, "subsets");
    for (JsonNode subset : endpoints.path("subsets")) {
      dropEmpty((ObjectNode) subset, "addresses", "notReadyAddresses", "ports");
      for (JsonNode port : subset.path("ports")) {
        if (port.path("protocol").asText().isEmpty()) {
          ((ObjectNode) port).put("protocol", "TCP");
        }
      }
    }
  }

  static void dropEmpty(ObjectNode object, String... fields) {
    for (String field : fields) {
      if (object.path(field).isContainerNode() && object.path(field).isEmpty()) {
        object.remove(field);
      }
    }
  }

  static List<StatusCause> faults(JsonNode endpoints, boolean allowLoopback) {
    List<StatusCause> faults = new ArrayList<>();
    JsonNode subsets = endpoints.path("subsets");
    for (int i = 0; i < subsets.size(); i++) {
      JsonNode subset = subsets.get(i);
      String at = "subsets[%d]".formatted(i);
      if (subset.path("addresses").isEmpty() && subset.path("notReadyAddresses").isEmpty()) {
        faults.add(
            fault(
                "FieldValueRequired",
                at,
                "Required value: must specify addresses or notReadyAddresses"));
      }
      for (String list : List.of("addresses", "notReadyAddresses")) {
        for (int j = 0; j < subset.path(list).size(); j++) {
          String ip = subset.path(list).get(j).path("ip").asText();
          String fault = addressFault(ip, allowLoopback);
          if (fault != null) {
            faults.add(
                fault(
                    "FieldValueInvalid",
                    "%s.%s[%d].ip".formatted(at, list, j),
                    "Invalid value: \"%s\": %s".formatted(ip, fault)));
          }
        }
      }
      JsonNode ports = subset.path("ports");
      for (int j = 0; j < ports.size(); j++) {
        String portAt = "%s.ports[%d]".formatted(at, j);
        if (ports.size() > 1 && ports.get(j).path("name").asText().isEmpty()) {
          faults.add(fault("FieldValueRequired", portAt + ".name", "Required value"));
        }
        int port = ports.get(j).path("port").asInt();
        if (port < 1 || port > 65535) {
          faults.add(
              fault(
                  "FieldValueInvalid",
                  portAt + ".port",
                  "Invalid value: %d: must be between 1 and 65535, inclusive".formatted(port)));
        }
      }
    }
    return faults;
  }

  static String addressFault(String ip, boolean allowLoopback) {
    InetAddress address = parse(ip);
    if (address == null) {
      return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
    }
    if (address.isAnyLocalAddress()) {
      return "may not be unspecified (0.0.0.0 or ::)";
    }
    if (address.isLoopbackAddress() && !allowLoopback) {
      return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
    }
    if (address.isLinkLocalAddress()) {
      return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
    }
    if (address.isMCLinkLocal()) {
      return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    }
    return null;
  }

  /** Returns null unless {@code ip} is a literal: a host name must not be resolved here. */
  static InetAddress parse(String ip) {
    if (!IPV4.matcher(ip).matches() && !IPV6.matcher(ip).matches()) {
      return null;
    }
    try {
      return InetAddress.getByName(ip);
    } catch (UnknownHostException e) {
      return null;
    }
  }

  static StatusCause fault(String reason, String field, String message) {
    return new StatusCauseBuilder()
        .withReason(reason)
        .withField(field)
        .withMessage(message)
        .build();
  }
}
