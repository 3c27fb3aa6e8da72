package io.github.pgendpoints.publish;

import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Checks that the clients of the Services see what was written. Kubernetes mirrors Endpoints within
 * milliseconds, so only a difference that lasts is reported. Used by one cycle at a time.
 *
 * <p>In continuous mode, it compares {@link #GRACE} after a write, when an informer reports a
 * change, and every {@link #PERIOD}; if cycles read the slices anyway, it compares those. A run of
 * one cycle cannot compare later, so it waits after a write until clients see it, up to 2.5 s.
 */
public final class ClientCheck {
  /** How long a difference may last before it is reported. */
  static final Duration GRACE = Duration.ofSeconds(3);

  /** The time from one comparison to the next while clients see what was written. */
  static final Duration PERIOD = Duration.ofSeconds(30);

  /** How long a run of one cycle waits after its last write. */
  private static final Duration WAIT = Duration.ofMillis(2500);

  /** The pauses between the comparisons during that time, in milliseconds. */
  private static final int[] PAUSES = {50, 100, 200, 400, 750, 1000};

  private final ServiceReader reader;
  private final ServiceCheck services;
  private final String namespace;
  private final boolean continuous;
  private final LongSupplier nanoTime;
  private final Consumer<Duration> requestCycleIn;
  private final Map<String, State> states = new HashMap<>();

  /** What is known about one Service. Times are those of {@code nanoTime}. */
  private static final class State {
    private String version;
    private Long comparedAt;
    private Long writtenAt;
    private Long differsSince;
    private Mismatch mismatch;
    private KubernetesClientException failure;
  }

  /**
   * The objects behind a Service at the end of a cycle.
   *
   * @param observed what the cycle read, with the Endpoints as it wrote them, but without slices
   *     that were read before a write
   */
  public record Observation(String service, ObservedService observed) {}

  /**
   * @param namespace of the Services
   * @param continuous whether another cycle follows
   * @param nanoTime as {@link System#nanoTime}
   * @param requestCycleIn makes a cycle due after a time
   */
  public ClientCheck(
      ServiceReader reader,
      ServiceCheck services,
      String namespace,
      boolean continuous,
      LongSupplier nanoTime,
      Consumer<Duration> requestCycleIn) {
    this.reader = reader;
    this.services = services;
    this.namespace = namespace;
    this.continuous = continuous;
    this.nanoTime = nanoTime;
    this.requestCycleIn = requestCycleIn;
  }

  /** Forgets what was found: another replica may have written since. */
  public void forget() {
    states.clear();
  }

  /** The mismatches that the last comparisons found. */
  public List<Mismatch> mismatches() {
    return states.values().stream().map(state -> state.mismatch).filter(Objects::nonNull).toList();
  }

  /**
   * Whether it is not known yet what clients see: the Service was not compared in this term of
   * leadership, or differs, but not long enough for a mismatch.
   */
  public boolean mayDiffer(String service) {
    State state = state(service);
    boolean isCompared = state.comparedAt != null && state.failure == null;
    return state.mismatch == null && (!isCompared || state.differsSince != null);
  }

  /** Records that an object of the Service was written: clients see it a moment later. */
  public void recordWrite(String service) {
    state(service).writtenAt = nanoTime.getAsLong();
    if (continuous) {
      requestCycleIn.accept(GRACE);
    }
  }

  /** Forgets this Service: another problem with it is reported, and must be solved first. */
  public void skip(String service) {
    states.remove(service);
  }

  /**
   * Compares each Service whose comparison is due.
   *
   * @throws KubernetesClientException if the API server refused the last read or did not respond
   */
  public void compare(List<Observation> observations) {
    observations.forEach(continuous ? this::compareIfDue : this::compareAtOnce);
    states.values().stream()
        .map(state -> state.failure)
        .filter(Objects::nonNull)
        .findFirst()
        .ifPresent(
            failure -> {
              throw failure;
            });
  }

  private void compareIfDue(Observation observation) {
    State state = state(observation.service());
    long now = nanoTime.getAsLong();
    noteOthersWrite(observation.observed(), state, now);
    boolean early = state.writtenAt != null && now - state.writtenAt < GRACE.toNanos();
    boolean isDue =
        observation.observed().slices() != null
            || state.failure == null && reader.isOutdated(observation.service())
            || isDue(state, now);
    if (early || !isDue) {
      return;
    }
    state.comparedAt = now;
    compare(observation, state);
    if (state.differsSince != null && state.mismatch == null) {
      requestCycleIn.accept(GRACE);
    }
  }

  /** Requests a comparison if another writer, which may have stopped the mirroring, has written. */
  private void noteOthersWrite(ObservedService observed, State state, long now) {
    String version =
        observed.endpoints() == null
            ? null
            : observed.endpoints().getMetadata().getResourceVersion();
    boolean isNew = state.comparedAt != null && !Objects.equals(version, state.version);
    state.version = version;
    if (isNew && state.writtenAt == null) {
      state.writtenAt = now;
      requestCycleIn.accept(GRACE);
    }
  }

  private static boolean isDue(State state, long now) {
    boolean soon = state.writtenAt != null || state.differsSince != null || state.failure != null;
    return state.comparedAt == null || now - state.comparedAt >= (soon ? GRACE : PERIOD).toNanos();
  }

  private void compare(Observation observation, State state) {
    try {
      ClientView view = view(observation);
      state.failure = null;
      if (view == null) {
        return;
      }
      if (!view.differs()) {
        state.differsSince = null;
        state.writtenAt = null;
        state.mismatch = null;
        return;
      }
      if (state.differsSince == null) {
        state.differsSince = state.writtenAt == null ? state.comparedAt : state.writtenAt;
      }
      if (state.comparedAt - state.differsSince >= GRACE.toNanos()) {
        state.mismatch = mismatch(view);
      }
    } catch (KubernetesClientException e) {
      state.failure = e;
    }
  }

  private void compareAtOnce(Observation observation) {
    State state = state(observation.service());
    state.comparedAt = nanoTime.getAsLong();
    try {
      ClientView view =
          state.writtenAt == null
              ? view(observation)
              : viewAfterWrite(observation, state.writtenAt);
      state.mismatch = view != null && view.differs() ? mismatch(view) : null;
      state.writtenAt = null;
      state.failure = null;
    } catch (KubernetesClientException e) {
      state.failure = e;
    }
  }

  /** Reads until clients see what was written, or {@link #WAIT} has passed. */
  private ClientView viewAfterWrite(Observation observation, long writtenAt) {
    ObservedService written = new ObservedService(observation.observed().endpoints(), null);
    ClientView view = null;
    for (int i = 0; i < PAUSES.length && sleep(PAUSES[i]); i++) {
      view = view(new Observation(observation.service(), written));
      boolean late = nanoTime.getAsLong() - writtenAt >= WAIT.toNanos();
      if (view == null || !view.differs() || late) {
        break;
      }
    }
    return view;
  }

  /** Returns null if the Role does not grant listing slices. */
  private ClientView view(Observation observation) {
    ObservedService observed = observation.observed();
    if (observed.slices() == null) {
      observed = reader.withSlices(observation.service(), observed.endpoints());
    }
    return observed == null ? null : new ClientView(namespace, observation.service(), observed);
  }

  private Mismatch mismatch(ClientView view) {
    return view.mismatch(services.problem(view.service()));
  }

  private State state(String service) {
    return states.computeIfAbsent(service, name -> new State());
  }

  /** Returns false if the program is stopping. */
  private static boolean sleep(int millis) {
    try {
      Thread.sleep(millis);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
