package io.github.pgendpoints.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
  @Test
  void sortsByNumberAndIpv4First() {
    List<String> sorted =
        List.of("2001:db8::1", "10.0.0.10", "10.0.0.9", "192.168.0.1", "9.255.0.0", "2001:db8::a:0")
            .stream()
            .sorted(Addresses.NUMERIC)
            .toList();

    assertEquals(
        List.of(
            "9.255.0.0", "10.0.0.9", "10.0.0.10", "192.168.0.1", "2001:db8::1", "2001:db8::a:0"),
        sorted);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, 10.0.0.1",
    "2001:DB8:0:0:0:0:0:1, 2001:db8::1",
    "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
    "::1, ::1",
    "::, ::",
    "fd00::, fd00::",
    "::ffff:10.0.0.1, 10.0.0.1",
  })
  void spellsAsRfc5952Does(String text, String expected) {
    assertEquals(expected, Addresses.text(Addresses.parse(text)));
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, loopback",
    "127.1.2.3, loopback",
    "::1, loopback",
    "169.254.1.1, link-local",
    "fe80::1, link-local",
    "224.0.0.1, link-local multicast",
    "0.0.0.0, unspecified",
    "::, unspecified",
    "10.0.0.1,",
    "224.0.1.1,",
    "2001:db8::1,",
  })
  void knowsWhatKubernetesRefuses(String address, String reason) {
    assertEquals(reason, Addresses.refusedAs(Addresses.parse(address)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "db1",
        "10.0.0",
        "10.0.0.256",
        "010.0.0.1",
        "fe80::1%eth0",
        "1:2",
        "::g",
        "z:1",
        ""
      })
  void readsNoNames(String text) {
    assertThrows(IllegalArgumentException.class, () -> Addresses.parse(text));
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.1, 5432, 10.0.0.1",
    "10.0.0.1, 5433, 10.0.0.1:5433",
    "2001:db8::1, 5432, [2001:db8::1]",
    "2001:db8::1, 5433, [2001:db8::1]:5433",
  })
  void showsThePortWhereItIsNotTheDefault(String host, int port, String expected) {
    assertEquals(expected, Addresses.withPort(host, port, 5432));
  }
}
