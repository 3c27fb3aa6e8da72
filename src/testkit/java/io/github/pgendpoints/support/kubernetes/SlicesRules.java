package io.github.pgendpoints.support.kubernetes;

import static io.github.pgendpoints.support.kubernetes.EndpointsRules.fault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.StatusCause;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/** How kube-apiserver normalizes an EndpointSlice before it stores it, and what it rejects. */
final class SlicesRules {
  private SlicesRules() {}

  static void canonicalize(ObjectNode slice) {
    // kube-apiserver stores protobuf, which has no empty lists, and never omits these two fields.
    for (String list : List.of("endpoints", "ports")) {
      if (slice.path(list).isEmpty()) {
        slice.putNull(list);
      }
    }
    for (JsonNode port : slice.path("ports")) {
      if (port.path("protocol").asText().isEmpty()) {
        ((ObjectNode) port).put("protocol", "TCP");
      }
    }
  }

  /**
   * @param current the slice to replace; null when the slice is new
   */
  static List<StatusCause> faults(JsonNode slice, JsonNode current, boolean allowLoopback) {
    List<StatusCause> faults = new ArrayList<>();
    String type = slice.path("addressType").asText();
    if (!List.of("IPv4", "IPv6", "FQDN").contains(type)) {
      faults.add(fault("FieldValueRequired", "addressType", "Required value"));
    }
    if (current != null && !current.path("addressType").asText().equals(type)) {
      faults.add(
          fault(
              "FieldValueInvalid",
              "addressType",
              "Invalid value: \"%s\": field is immutable".formatted(type)));
    }
    JsonNode endpoints = slice.path("endpoints");
    if (endpoints.size() > 1000) {
      faults.add(
          fault(
              "FieldValueTooMany",
              "endpoints",
              "Too many: %d: must have at most 1000 items".formatted(endpoints.size())));
    }
    for (int i = 0; i < endpoints.size(); i++) {
      JsonNode addresses = endpoints.get(i).path("addresses");
      for (int j = 0; j < addresses.size(); j++) {
        String fault = addressFault(addresses.get(j).asText(), type, allowLoopback);
        if (fault != null) {
          faults.add(
              fault(
                  "FieldValueInvalid",
                  "endpoints[%d].addresses[%d]".formatted(i, j),
                  "Invalid value: \"%s\": %s".formatted(addresses.get(j).asText(), fault)));
        }
      }
    }
    return faults;
  }

  private static String addressFault(String ip, String type, boolean allowLoopback) {
    InetAddress address = EndpointsRules.parse(ip);
    if (address == null || address instanceof Inet6Address != type.equals("IPv6")) {
      return "must be a valid %s address".formatted(type);
    }
    return EndpointsRules.addressFault(ip, allowLoopback);
  }
}
