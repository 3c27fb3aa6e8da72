package io.github.pgendpoints.kubernetes.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Known objects are up to date only while nothing contradicts them. */
class KnownObjectsTest {
  private long nanos = Long.MAX_VALUE - 5;
  private int woken;
  private boolean watching = true;
  private final KnownObjects<Endpoints> known = fresh();

  @BeforeEach
  void isKnown() {
    read("1");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void knowsNothingAtTheStart() {
    assertFalse(fresh().isKnown(true));
    assertEquals(List.of(), fresh().objects());
  }

  @Test
  void knowsWhatWasReadAndThatThereIsNothing() {
    assertEquals("1", version());
    read(null);
    assertTrue(known.isKnown(watching));
    assertNull(version());
  }

  @Test
  void knowsItForHalfAMinute() {
    nanos += KnownObjects.RESYNC.toNanos() - 1;
    assertTrue(known.isKnown(watching));
    nanos++;
    assertFalse(known.isKnown(watching));
    read("1");
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void ageStartsAtTheRequest() {
    known.reading(watching);
    nanos += KnownObjects.RESYNC.toNanos();
    known.read(List.of(endpoints("1")));
    assertFalse(known.isKnown(watching));
  }

  @Test
  void readsAgainWhatHasAnotherVersion() {
    changed("2");
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
    read("2");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void readsAgainWhatIsGone() {
    gone();
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
    read(null);
    assertTrue(known.isKnown(watching));
  }

  @Test
  void ignoresItsOwnVersion() {
    changed("1");
    assertTrue(known.isKnown(watching));
    read(null);
    gone();
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void ignoresItsOwnWrites() {
    known.writing();
    changed("2");
    known.wrote(endpoints("2"));
    assertTrue(known.isKnown(watching));
    assertEquals("2", version());

    known.writing();
    known.wrote(endpoints("3"));
    changed("3");
    assertTrue(known.isKnown(watching));

    known.writing();
    gone();
    known.deleted("pg");
    assertTrue(known.isKnown(watching));
    assertEquals(0, woken);
  }

  @Test
  void readsAgainAfterConcurrentRequests() {
    known.reading(watching);
    known.writing();
    known.read(List.of(endpoints("2")));
    known.wrote(endpoints("3"));
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);

    known.reading(watching);
    known.writing();
    known.wrote(endpoints("4"));
    assertFalse(known.read(List.of(endpoints("4"))));
    assertFalse(known.isKnown(watching));
    read("4");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void noticesAnotherWriteAfterItsOwn() {
    known.writing();
    changed("2");
    changed("3");
    known.wrote(endpoints("2"));
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);
  }

  @Test
  void readsOnceMoreForAnEventThatComesLate() {
    known.reading(watching);
    changed("2");
    known.read(List.of(endpoints("3")));
    assertFalse(known.isKnown(watching));
    assertEquals(1, woken);

    read("3");
    assertTrue(known.isKnown(watching));
    assertEquals("3", version());
  }

  @Test
  void knowsNothingOfARequestThatFailed() {
    known.reading(watching);
    assertFalse(known.isKnown(watching));
    known.failed();
    assertFalse(known.isKnown(watching));
    changed("2");
    assertEquals(1, woken, "it had an effect");
  }

  @Test
  void knowsNothingWhileTheInformerDoesNotWatch() {
    watching = false;
    assertFalse(known.isKnown(watching));
    read("1");
    assertFalse(known.isKnown(watching));
  }

  @Test
  void knowsAReadOnceTheInformerWatchesAgain() {
    watching = false;
    read("3");
    watching = true;
    assertTrue(known.isKnown(watching));
    changed("2");
    assertFalse(known.isKnown(watching), "reported late");
    changed("3");
    assertEquals(1, woken);
    read("3");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void readsInEachLeadership() {
    known.forget();
    assertFalse(known.isKnown(watching));
    read("1");
    assertTrue(known.isKnown(watching));
  }

  @Test
  void findsAChangeThatTheInformerMissed() {
    nanos += KnownObjects.RESYNC.toNanos();
    assertFalse(read("1"));
    nanos += KnownObjects.RESYNC.toNanos();
    assertTrue(read("2"), "not reported");
    assertFalse(read("2"));

    changed("3");
    assertFalse(read("3"), "reported before the read");
    nanos += KnownObjects.RESYNC.toNanos();
    known.reading(watching);
    changed("4");
    assertFalse(known.read(List.of(endpoints("4"))), "reported during the read");
    watching = false;
    assertFalse(read("5"), "not watching");
  }

  @Test
  void aWriteOfOneDoesNotRenewTheOthers() {
    changed("2");
    known.writing();
    known.wrote(named("other", "3"));
    assertFalse(known.isKnown(watching), "the first has another version");

    read("2");
    nanos += KnownObjects.RESYNC.toNanos() - 1;
    known.writing();
    known.wrote(named("other", "4"));
    assertTrue(known.isKnown(watching));
    nanos++;
    assertFalse(known.isKnown(watching), "the read was half a minute ago");
  }

  @Test
  void tracksEachVersion() {
    readBoth();
    known.onUpdate(null, named("other", "2"));
    assertTrue(known.isKnown(watching));
    known.writing();
    known.onUpdate(null, named("other", "3"));
    known.wrote(endpoints("5"));
    assertFalse(known.isKnown(watching), "another writer changed the other one meanwhile");
    assertEquals(1, woken);

    readBoth();
    known.onDelete(named("other", "2"), false);
    assertFalse(known.isKnown(watching));
    readBoth();
    known.onAdd(named("third", "1"));
    assertFalse(known.isKnown(watching));
  }

  @Test
  void readsAgainWhenAListOfTheInformerFoundNone() {
    readBoth();
    known.onNothing();
    assertFalse(known.isKnown(watching));

    read(null);
    known.writing();
    known.onNothing();
    known.onAdd(endpoints("1"));
    known.wrote(endpoints("1"));
    assertTrue(known.isKnown(watching), "the list came before the write");

    known.reading(watching);
    known.onNothing();
    known.read(List.of(endpoints("1")));
    assertFalse(known.isKnown(watching), "gone, as far as the informer knows");
  }

  /** A new informer reports the objects that exist, but not that one was deleted in between. */
  @Test
  void knowsSeveralOnlyIfReadWhileWatching() {
    watching = false;
    known.reading(watching);
    known.read(List.of(endpoints("1"), named("other", "2")));
    watching = true;
    assertFalse(known.isKnown(watching), "the other one may have gone");

    readBoth();
    nanos += KnownObjects.RESYNC.toNanos();
    known.reading(watching);
    assertTrue(known.read(List.of(endpoints("1"), named("other", "3"))), "not reported");
    assertFalse(known.isKnown(watching), "another informer starts");
    readBoth();
  }

  private void readBoth() {
    // Read twice, since the first read finds a change that the informer did not report.
    for (int i = 0; i < 2; i++) {
      known.reading(watching);
      known.read(List.of(endpoints("1"), named("other", "2")));
    }
    assertTrue(known.isKnown(watching));
  }

  private boolean read(String version) {
    known.reading(watching);
    return known.read(version == null ? List.of() : List.of(endpoints(version)));
  }

  /** The version of the only object; null if there is none. */
  private String version() {
    return known.objects().stream()
        .map(object -> object.getMetadata().getResourceVersion())
        .findFirst()
        .orElse(null);
  }

  private void changed(String version) {
    known.onUpdate(null, endpoints(version));
  }

  private void gone() {
    known.onDelete(endpoints("9"), false);
  }

  private KnownObjects<Endpoints> fresh() {
    return new KnownObjects<>(() -> woken++, () -> nanos);
  }

  private static Endpoints endpoints(String version) {
    return named("pg", version);
  }

  private static Endpoints named(String name, String version) {
    return new EndpointsBuilder()
        .withNewMetadata()
        .withName(name)
        .withResourceVersion(version)
        .endMetadata()
        .build();
  }
}
