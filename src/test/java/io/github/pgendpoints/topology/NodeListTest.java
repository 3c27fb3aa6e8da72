package io.github.pgendpoints.topology;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeListTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "10.0.0.1 | 10.0.0.1 | 5432",
        "10.0.0.1:5433 | 10.0.0.1 | 5433",
        "DB1.Example.org | db1.example.org | 5432",
        "db1:6000 | db1 | 6000",
        "2001:DB8::1 | 2001:db8::1 | 5432",
        "2001:db8::1:5433 | 2001:db8::1:5433 | 5432",
        "[2001:db8::1] | 2001:db8::1 | 5432",
        "[2001:db8:0::1]:5433 | 2001:db8::1 | 5433",
        "pg_1 | pg_1 | 5432",
        "db1. | db1. | 5432",
      })
  void readsEverySpelling(String item, String host, int port) {
    assertEquals(List.of(Node.of(host, port, 5432)), NodeList.parse(item, 5432, false).nodes());
  }

  @Test
  void acceptsLabelsOf63Characters() {
    String host = "db-0." + "x".repeat(63) + ".db.svc";
    assertEquals(host, NodeList.parse(host, 5432, false).nodes().get(0).host());
    assertThrows(
        IllegalArgumentException.class,
        () -> NodeList.parse(host.replace("x.db", "xx.db"), 5432, false));
  }

  @Test
  void trimsItemsAndKeepsTheirOrder() {
    NodeList list = NodeList.parse(" 10.0.0.2 ,\t10.0.0.1 ", 5432, false);

    assertEquals("10.0.0.2,10.0.0.1", NodeList.text(list.nodes()));
    assertEquals(List.of(), list.duplicates());
  }

  @Test
  void collapsesWhatIsListedTwice() {
    NodeList list = NodeList.parse("db1,DB1,10.0.0.1,10.0.0.1:5432,db2", 5432, false);

    assertEquals("db1,10.0.0.1,db2", NodeList.text(list.nodes()));
    assertEquals("db1,10.0.0.1", NodeList.text(list.duplicates()));
  }

  @Test
  void readsItsOwnText() {
    List<Node> nodes =
        NodeList.parse("db1,db2:5433,[2001:db8::1],[2001:db8::2]:5433", 5432, false).nodes();

    assertEquals(nodes, NodeList.parse(NodeList.text(nodes), 5432, false).nodes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "db1,,db2 | an item is empty",
        "db1, | an item is empty",
        "'  ' | an item is empty",
        "db1:0 | 'db1:0': its port is not 1 to 65535",
        "db1:65536 | 'db1:65536': its port is not 1 to 65535",
        "db1: | 'db1:': its port is not 1 to 65535",
        "db1:x | 'db1:***': its port is not 1 to 65535",
        "repmgr:hunter2 | 'repmgr:***': its port is not 1 to 65535",
        "db1:repmgr:hunter2 | an item has several colons and is no IPv6 address",
        "[db1]:5432 | '[db1]:5432' has no IPv6 address in its brackets",
        "[2001:db8::1 | '[2001:db8::1' is not an IP address",
        "[2001:db8::1]x | '[2001:db8::1]x' is not an IP address",
        "db 1 | 'db 1' is neither a host name nor an IP address",
        "db1/x | 'db1/x' is neither a host name nor an IP address",
        "db1..example.org | 'db1..example.org' is neither a host name nor an IP address",
        "-db1 | '-db1' is neither a host name nor an IP address",
        "10.0.0.256 | '10.0.0.256' is not an IP address",
        "10.0.0 | '10.0.0' is not an IP address",
        "127.0.0.1 | '127.0.0.1' is a loopback address, which Kubernetes refuses",
        "[::1]:5432 | '[::1]:5432' is a loopback address, which Kubernetes refuses",
        "169.254.0.1 | '169.254.0.1' is a link-local address, which Kubernetes refuses",
        "fe80::1%eth0 | 'fe80::1%eth0' is not an IP address",
        "0.0.0.0 | '0.0.0.0' is an unspecified address, which Kubernetes refuses",
      })
  void reportsWhatIsWrong(String text, String message) {
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> NodeList.parse(text, 5432, false));

    assertEquals(message, e.getMessage());
  }

  @Test
  void reportsAllFaultsAtOnce() {
    Exception e =
        assertThrows(
            IllegalArgumentException.class, () -> NodeList.parse("db1:0,,0.0.0.0", 5432, false));

    assertEquals(3, e.getMessage().split("; ").length, e.getMessage());
  }

  @Test
  void refusesMoreThanOneObjectMayHold() {
    String thousand =
        String.join(
            ",", java.util.stream.IntStream.range(0, 1001).mapToObj(i -> "db" + i).toList());

    Exception e =
        assertThrows(IllegalArgumentException.class, () -> NodeList.parse(thousand, 5432, false));

    assertTrue(e.getMessage().startsWith("1001 nodes"), e.getMessage());
  }

  @Test
  void takesLoopbackWhereItIsAllowedAndNothingElse() {
    assertEquals(
        List.of(Node.of("127.0.0.1", 5432, 5432)), NodeList.parse("127.0.0.1", 5432, true).nodes());
    assertThrows(IllegalArgumentException.class, () -> NodeList.parse("169.254.0.1", 5432, true));
  }
}
