package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.github.pgendpoints.topology.Published;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoredTest {
  private final Stored stored = new Stored(5432, false);

  @Test
  void readsBackWhatWasPublished() {
    Published published =
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
        new Published(
            "18446744073709551615",
            7,
            "db1",
            "10.0.0.1:5432",
            Set.of("[2001:db8::2]:5432", "10.0.0.3:5432"),
            false,
            List.of()),
        published);
  }

  @Test
  void findsNothingOnAFirstRunAndInWhatTheOriginalWrote() {
    assertEquals(
        new Published(null, 0, null, null, Set.of(), false, List.of()), published(null, null));
    Published original =
        published(endpoints(Map.of(Annotations.LAST_TOPOLOGY, "primary:10.0.0.1;standbys:")), null);
    assertNull(original.systemIdentifier());
    assertEquals(0, original.timeline());
  }

  @ParameterizedTest(name = "rw {0}/{1}, ro {2}/{3}: {4}/{5}")
  @CsvSource(
      nullValues = "-",
      value = {
        "8,2, 8,3, 8,3",
        "8,3, 8,2, 8,3",
        "-,-, 8,3, 8,3",
        "8,3, -,-, 8,3",
        // Overruled, and only the read-write object could be written yet.
        "9,1, 8,3, 9,1",
      })
  void takesTheHigherTimelineOfOneCluster(
      String rwIdentifier,
      String rwTimeline,
      String roIdentifier,
      String roTimeline,
      String identifier,
      long timeline) {
    Published published =
        published(state(rwIdentifier, rwTimeline), state(roIdentifier, roTimeline));

    assertEquals(identifier, published.systemIdentifier());
    assertEquals(timeline, published.timeline());
  }

  @Test
  void takesThePrimaryOfTheHigherTimelineWhenTheReadWriteObjectCouldNotBeWritten() {
    Published published =
        published(state("8", "2", "db1", "10.0.0.1"), state("8", "3", "db2", "10.0.0.2"));

    assertEquals(3, published.timeline());
    assertEquals("db2", published.primary());
    assertEquals("10.0.0.2:5432", published.primaryEndpoint());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "0", "-1", "+1", "1.5", "0x1", " 1", "4294967296", "18446744073709551616"})
  void findsFaultWithATimelineThatCannotBeRead(String text) {
    Published published = published(null, state("8", text));

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
        false,
        published(null, endpoints(Map.of(Annotations.PAUSED, text))).paused(),
        "only the read-write object is asked");
  }

  private Published published(Endpoints readWrite, Endpoints readOnly) {
    return stored.published(new Actual(readWrite, List.of()), new Actual(readOnly, List.of()));
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
