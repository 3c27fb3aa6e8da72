package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.topology.LastPublished;
import io.github.pgendpoints.topology.Line;
import io.github.pgendpoints.topology.Lsn;
import io.github.pgendpoints.topology.PublishedPrimary;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoredTopologyReaderTest {
  private final StoredTopologyReader stored = new StoredTopologyReader(5432, false, warning -> {});

  @Test
  void readsBackWhatWasPublished() {
    LastPublished published =
        published(
            endpoints(
                Map.of(
                    Annotations.LAST_TOPOLOGY, "primary:10.0.0.1;standbys:10.0.0.2",
                    Annotations.PRIMARY, "db1",
                    Annotations.SYSTEM_IDENTIFIER, "18446744073709551615",
                    Annotations.TIMELINE, "7")),
            endpoints(Map.of())
                .edit()
                .addNewSubset()
                .addNewAddress()
                .withIp("2001:db8::2")
                .endAddress()
                .addNewNotReadyAddress()
                .withIp("10.0.0.3")
                .endNotReadyAddress()
                .addNewPort()
                .withPort(5432)
                .endPort()
                .endSubset()
                .build());

    assertEquals(
        new LastPublished(
            new PublishedPrimary(
                new Line("18446744073709551615", 7, null), List.of("10.0.0.1:5432"), "db1", null),
            "18446744073709551615",
            Set.of(),
            Set.of("[2001:db8::2]:5432", "10.0.0.3:5432"),
            0,
            false,
            List.of()),
        published);
  }

  @Test
  void findsNoTopologyOnFirstRunOrOfOriginal() {
    assertEquals(
        new LastPublished(PublishedPrimary.none(), null, Set.of(), Set.of(), 0, false, List.of()),
        published(null, null));
    LastPublished original =
        published(endpoints(Map.of(Annotations.LAST_TOPOLOGY, "primary:10.0.0.1;standbys:")), null);
    assertNull(original.systemIdentifier());
    assertNull(original.line());
  }

  @ParameterizedTest(name = "rw {0}/{1}, ro {2}/{3}: {4}/{5}")
  @CsvSource(
      nullValues = "-",
      value = {
        "8,2, 8,3, 8,3",
        "8,3, 8,2, 8,3",
        "-,-, 8,3, 8,3",
        "8,3, -,-, 8,3",
        // After overrule, when only the read-write object is written yet.
        "9,1, 8,3, 9,1",
      })
  void takesTheHigherTimelineOfOneCluster(
      String rwIdentifier,
      String rwTimeline,
      String roIdentifier,
      String roTimeline,
      String identifier,
      long timeline) {
    LastPublished published =
        published(state(rwIdentifier, rwTimeline), state(roIdentifier, roTimeline));

    assertEquals(identifier, published.systemIdentifier());
    assertEquals(timeline, published.line().timeline());
  }

  @Test
  void trustsTheHigherTimelineOfTheTwoObjects() {
    LastPublished published =
        published(state("8", "2", "db1", "10.0.0.1"), state("8", "3", "db2", "10.0.0.2"));

    assertEquals(3, published.line().timeline());
    assertEquals("db2", published.primary().name());
    assertEquals("10.0.0.2:5432", published.primary().endpoint());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "-1", "+1", "1.5", "0x1", " 1", "4294967296", "18446744073709551616"})
  void findsFaultWithATimelineThatCannotBeRead(String text) {
    LastPublished published = published(null, state("8", text));

    assertEquals(
        List.of(
            "Endpoints pg has the annotation postgres.discovery/timeline: '%s'; allowed: a number from 1 to 4294967295"
                .formatted(text)),
        published.faults());
  }

  @Test
  void findsFaultWithEveryAnnotationThatCannotBeRead() {
    assertEquals(4, published(state("x", "y"), state("z".repeat(5000), "1e9")).faults().size());
    assertEquals(
        true,
        published(state("z".repeat(5000), "1"), null).faults().stream()
            .allMatch(fault -> fault.length() < 200));
  }

  @ParameterizedTest
  @CsvSource({
    "true,true",
    "True,true",
    "yes,true",
    "1,true",
    "false,false",
    "False,false",
    "'',false"
  })
  void isPausedByAnythingButFalse(String text, boolean paused) {
    assertEquals(paused, published(endpoints(Map.of(Annotations.PAUSED, text)), null).paused());
    assertEquals(
        paused,
        published(null, endpoints(Map.of(Annotations.PAUSED, text))).paused(),
        "who deletes the read-write object does not end the pause");
  }

  @Test
  void readsBackEveryAnnotation() {
    LastPublished published =
        published(
            endpoints(
                Map.of(
                    Annotations.PRIMARY, "db1",
                    Annotations.SYSTEM_IDENTIFIER, "8",
                    Annotations.TIMELINE, "7",
                    Annotations.BEGIN, "1/A0",
                    Annotations.ENTRIES, "10.0.0.1:5432,[2001:db8::1]:5433",
                    Annotations.STARTED_AT, "1700000000123456",
                    Annotations.GENERATION, "3")),
            null);

    assertEquals(
        new PublishedPrimary(
            new Line("8", 7, Lsn.of("1/A0")),
            List.of("10.0.0.1:5432", "[2001:db8::1]:5433"),
            "db1",
            1_700_000_000_123_456L),
        published.primary());
    assertEquals(3, published.generation());
    assertEquals(List.of(), published.faults());
  }

  @Test
  void usesReadWriteAddressIfNothingIsStored() {
    LastPublished published = published(withAddress(endpoints(Map.of()), "10.0.0.3"), null);

    assertEquals(
        new PublishedPrimary(null, List.of("10.0.0.3:5432"), null, null), published.primary());
    assertEquals(Set.of("10.0.0.3:5432"), published.readWrite());
  }

  /** A client that edited the address of the Service may have meant another server. */
  @Test
  void ignoresServiceAddressIfStartTimeIsKnown() {
    Map<String, String> annotations =
        Map.of(
            Annotations.PRIMARY, "db1",
            Annotations.SYSTEM_IDENTIFIER, "8",
            Annotations.TIMELINE, "7",
            Annotations.STARTED_AT, "1700000000123456",
            Annotations.LAST_TOPOLOGY, "primary:10.0.0.1;standbys:");

    LastPublished published = published(withAddress(endpoints(annotations), "10.0.0.3"), null);

    assertEquals(
        new PublishedPrimary(new Line("8", 7, null), List.of(), "db1", 1_700_000_000_123_456L),
        published.primary());
    assertEquals(Set.of("10.0.0.3:5432"), published.readWrite());
  }

  @Test
  void takesTheEntryFromTheServiceIfNoneIsStored() {
    Map<String, String> annotations =
        Map.of(Annotations.SYSTEM_IDENTIFIER, "8", Annotations.TIMELINE, "7");

    LastPublished published = published(withAddress(endpoints(annotations), "10.0.0.3"), null);

    assertEquals(List.of("10.0.0.3:5432"), published.primary().entries());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "begin|x|an LSN such as 0/5000060",
        "begin|5000060|an LSN such as 0/5000060",
        "entries|db1:5432|ip:port, separated by commas",
        "entries|10.0.0.1:5432,|ip:port, separated by commas",
        "entries|10.0.0.1:0|ip:port, separated by commas",
        "started-at|10:00|a number from 1 to 9223372036854775807",
        "started-at|9223372036854775808|a number from 1 to 9223372036854775807",
        "generation|-1|a number from 1 to 9223372036854775807",
        "generation|0|a number from 1 to 9223372036854775807",
        "timeline|x|a number from 1 to 4294967295",
        "system-identifier|x|a number from 1 to 18446744073709551615"
      })
  void reportsOneFaultPerUnreadableAnnotation(String annotation, String text, String allowed) {
    assertEquals(
        List.of(
            "Endpoints pg has the annotation postgres.discovery/%s: '%s'; allowed: %s"
                .formatted(annotation, text, allowed)),
        published(endpoints(Map.of("postgres.discovery/" + annotation, text)), null).faults());
  }

  @Test
  void ignoresUnreadableCopy() {
    List<String> told = new ArrayList<>();
    LastPublished published =
        new StoredTopologyReader(5432, false, told::add)
            .published(
                new ObservedService(state("8", "2"), List.of()),
                new ObservedService(
                    state("8", "3")
                        .edit()
                        .editMetadata()
                        .addToAnnotations(Annotations.BEGIN, "x")
                        .endMetadata()
                        .build(),
                    List.of()));

    assertEquals(List.of(), published.faults());
    assertEquals(2, published.line().timeline());
    assertEquals(
        List.of(
            "Endpoints pg has the annotation postgres.discovery/begin: 'x'; allowed: an LSN such as 0/5000060; it is ignored, because the read-write Service's objects are valid"),
        told);
  }

  @Test
  void needsCopyIfReadWriteHasNoLine() {
    assertEquals(1, published(endpoints(Map.of()), state("8", "x")).faults().size());
    assertEquals(2, published(state("8", "x"), state("8", "x")).faults().size());
  }

  @ParameterizedTest(name = "rw {0} of generation {1}, ro {2} of {3}: {4} of {5}")
  @CsvSource({"2,1, 9,0, 2,1", "9,0, 2,1, 2,1", "2,2, 9,1, 2,2", "2,1, 3,1, 3,1"})
  void takesALaterGenerationBeforeAHigherTimeline(
      String rwTimeline,
      long rwGeneration,
      String roTimeline,
      long roGeneration,
      long timeline,
      long generation) {
    LastPublished published =
        published(
            ofGeneration(state("8", rwTimeline), rwGeneration),
            ofGeneration(state("8", roTimeline), roGeneration));

    assertEquals(timeline, published.line().timeline());
    assertEquals(generation, published.generation());
  }

  private static Endpoints ofGeneration(Endpoints endpoints, long generation) {
    return generation == 0
        ? endpoints
        : endpoints
            .edit()
            .editMetadata()
            .addToAnnotations(Annotations.GENERATION, "" + generation)
            .endMetadata()
            .build();
  }

  private static Endpoints withAddress(Endpoints endpoints, String address) {
    return endpoints
        .edit()
        .addNewSubset()
        .addNewAddress()
        .withIp(address)
        .endAddress()
        .addNewPort()
        .withPort(5432)
        .endPort()
        .endSubset()
        .build();
  }

  private LastPublished published(Endpoints readWrite, Endpoints readOnly) {
    return stored.published(
        new ObservedService(readWrite, List.of()), new ObservedService(readOnly, List.of()));
  }

  private static Endpoints state(String identifier, String timeline) {
    EndpointsBuilder endpoints = endpoints(Map.of()).edit();
    if (identifier != null) {
      endpoints
          .editMetadata()
          .addToAnnotations(Annotations.SYSTEM_IDENTIFIER, identifier)
          .addToAnnotations(Annotations.TIMELINE, timeline)
          .endMetadata();
    }
    return endpoints.build();
  }

  private static Endpoints state(
      String identifier, String timeline, String primary, String address) {
    return state(identifier, timeline)
        .edit()
        .editMetadata()
        .addToAnnotations(Annotations.PRIMARY, primary)
        .addToAnnotations(Annotations.LAST_TOPOLOGY, "primary:%s;standbys:".formatted(address))
        .endMetadata()
        .build();
  }

  private static Endpoints endpoints(Map<String, String> annotations) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withName("pg")
        .withAnnotations(annotations)
        .endMetadata()
        .build();
  }
}
