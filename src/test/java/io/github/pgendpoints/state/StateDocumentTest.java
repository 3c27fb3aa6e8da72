package io.github.pgendpoints.state;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.Memory;
import io.github.pgendpoints.topology.PublishedPrimary;
import io.github.pgendpoints.topology.Rival;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StateDocumentTest {
  private static final PublishedPrimary PRIMARY =
      new PublishedPrimary(
          new Line("18446744073709551615", 4_294_967_295L, Lsn.of("0/5000060")),
          List.of("10.0.0.1:5432", "[2001:db8::1]:5433"),
          "db1",
          1_700_000_000_123_456L);
  private static final Rival RIVAL =
      new Rival(
          "10.0.0.3:5432", "db3", Instant.parse("2026-11-28T05:06:07.123456789Z"), null, true);

  @Test
  void readsWhatItWrites() {
    Memory memory =
        Memory.stored(
            7, PRIMARY, List.of(RIVAL), List.of(Set.of("10.0.0.1:5432", "10.1.0.1:5432")));
    StateDocument document = new StateDocument(memory, "{\"signature\":\"\"}");

    StateDocument read = StateDocument.of(document.json()).orElseThrow();

    assertTrue(memory.isSameForOthers(read.memory()));
    assertEquals(memory.primary(), read.memory().primary());
    assertEquals(memory.rivals(), read.memory().rivals());
    assertEquals("{\"signature\":\"\"}", read.conditions());
    assertEquals(document.json(), read.json());
  }

  @Test
  void readsWhatItWritesOfNothing() {
    String json = StateDocument.empty().json();

    StateDocument read = StateDocument.of(json).orElseThrow();

    assertTrue(StateDocument.empty().memory().isSameForOthers(read.memory()));
    assertEquals(json, read.json());
  }

  @Test
  void writesOneTextForOneContent() {
    List<Set<String>> groups =
        List.of(
            Set.of("10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"), Set.of("10.0.0.4:1", "10.0.0.5:1"));
    List<Set<String>> turned =
        List.of(
            Set.of("10.0.0.5:1", "10.0.0.4:1"), Set.of("10.0.0.3:1", "10.0.0.2:1", "10.0.0.1:1"));

    assertEquals(
        new StateDocument(Memory.stored(0, PRIMARY, List.of(), groups), null).json(),
        new StateDocument(Memory.stored(0, PRIMARY, List.of(), turned), null).json());
  }

  @Test
  void isEmptyOfAnotherVersion() {
    assertTrue(StateDocument.of("{\"version\":2,\"rivals\":7}").isEmpty());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "hello|it is not JSON",
        "{\"version\":1,|it is not JSON",
        "{} {}|it is not JSON",
        "null|it is not a JSON object",
        "[]|it is not a JSON object",
        "{}|its version is not a number from 0",
        "{\"version\":\"1\"}|its version is not a number from 0",
        "{\"version\":1}|its generation is not a number from 0",
        "{\"version\":1,\"generation\":-1}|its generation is not a number from 0",
        "{\"version\":1,\"generation\":1.5}|its generation is not a number from 0",
        "{\"version\":1,\"generation\":0}|its rivals are not a list",
        "{\"version\":1,\"generation\":0,\"rivals\":[{}],\"aliases\":[]}|its entry is not text",
        "{\"version\":1,\"generation\":0,\"rivals\":[{\"entry\":\"db1:5432\"}],\"aliases\":[]}|one of its entries is not an ip:port",
        "{\"version\":1,\"generation\":0,\"rivals\":[{\"entry\":\"10.0.0.1\"}],\"aliases\":[]}|one of its entries is not an ip:port",
        "{\"version\":1,\"generation\":0,\"rivals\":[{\"entry\":\"10.0.0.1:1\",\"name\":\"a\",\"since\":\"x\"}],\"aliases\":[]}|since of a rival is not a time",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[[7]]}|one of its entries is not an ip:port",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[\"x\"]}|an alias is not a list of entries",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[[]]}|an alias is not a list of entries",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{}}|its entries are not a list",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"timeline\":0,\"entries\":[]}}|its timeline is not a number from 1",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"timeline\":4294967296,\"entries\":[]}}|its timeline is not a number from 1",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"timeline\":1,\"begin\":\"x\",\"entries\":[]}}|its begin is not an LSN",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"systemIdentifier\":\"0\",\"timeline\":1,\"entries\":[]}}|its systemIdentifier is invalid",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"systemIdentifier\":7,\"entries\":[]}}|its systemIdentifier is not text",
        "{\"version\":1,\"generation\":0,\"rivals\":[],\"aliases\":[],\"primary\":{\"startedAt\":0,\"entries\":[]}}|its startedAt is not a number from 1"
      })
  void reportsWhatIsWrong(String json, String wrong) {
    assertEquals(
        wrong,
        assertThrows(IllegalArgumentException.class, () -> StateDocument.of(json)).getMessage());
  }

  @ParameterizedTest
  @CsvSource({"600000, true", "400000, false"})
  void isTooLargeWithTheConditions(int size, boolean expected) {
    StateDocument document =
        new StateDocument(
            Memory.stored(0, PRIMARY, List.of(), List.of()), "\"" + "x".repeat(size) + "\"");

    assertEquals(expected, document.isTooLarge());
  }
}
