package io.github.pgendpoints.topology;

import static io.github.pgendpoints.topology.Nodes.PORT;
import static io.github.pgendpoints.topology.Nodes.primary;
import static io.github.pgendpoints.topology.Nodes.standby;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignatureTest {
  @Test
  void sortsStandbysAsTextAsTheOriginalDoes() {
    assertEquals(
        "primary:10.0.0.1;standbys:10.0.0.10,10.0.0.9",
        Signature.of(
            primary("10.0.0.1", 1), List.of(standby("10.0.0.9"), standby("10.0.0.10")), PORT));
  }

  @Test
  void endsAfterTheColonWithoutStandbys() {
    assertEquals(
        "primary:10.0.0.1;standbys:", Signature.of(primary("10.0.0.1", 1), List.of(), PORT));
  }

  @Test
  void namesOtherPortsAndBracketsIpv6() {
    assertEquals(
        "primary:[2001:db8::1];standbys:10.0.0.2:5433,[2001:db8::2]:5433",
        Signature.of(
            primary("2001:db8::1", 1),
            List.of(standby("[2001:db8::2]:5433"), standby("10.0.0.2:5433")),
            PORT));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "primary:10.0.0.1;standbys:10.0.0.2,10.0.0.3 | 10.0.0.1,10.0.0.2,10.0.0.3",
        "primary:10.0.0.1;standbys: | 10.0.0.1",
        "primary:[2001:db8::1]:5433;standbys:10.0.0.2:5433 | [2001:db8::1]:5433,10.0.0.2:5433",
      })
  void namesTheNodesItWasMadeOf(String signature, String nodes) {
    assertEquals(nodes, NodeList.text(Signature.nodes(signature, PORT, false)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "primary:;standbys:", "10.0.0.1", "primary:10.0.0.1", "primary:x y;standbys:"})
  void refusesWhatIsNoSignature(String text) {
    assertThrows(IllegalArgumentException.class, () -> Signature.nodes(text, PORT, false));
  }
}
