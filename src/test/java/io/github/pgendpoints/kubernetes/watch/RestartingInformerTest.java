package io.github.pgendpoints.kubernetes.watch;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.client.dsl.Informable;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When another informer starts while none of them can watch. */
class RestartingInformerTest {
  private static final ResourceEventHandler<Endpoints> DEAF =
      new ResourceEventHandler<>() {
        @Override
        public void onAdd(Endpoints added) {}

        @Override
        public void onUpdate(Endpoints before, Endpoints now) {}

        @Override
        public void onDelete(Endpoints deleted, boolean unknownFinalState) {}
      };

  private final FakeApiServer api = new FakeApiServer("db").start();
  private final AtomicInteger starts = new AtomicInteger();
  private long seconds;
  private final RestartingInformer<Endpoints> informer =
      new RestartingInformer<>(counted(), DEAF, () -> seconds * 1_000_000_000);

  /** The objects of a real client, with a count of the informers that it creates. */
  @SuppressWarnings("unchecked")
  private Informable<Endpoints> counted() {
    Informable<Endpoints> real = api.client().endpoints().inNamespace("db").withName("pg-rw");
    return (Informable<Endpoints>)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Informable.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("runnableInformer")) {
                starts.incrementAndGet();
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @AfterEach
  void stop() {
    informer.stop();
    api.close();
  }

  @Test
  void restartsEveryFiveSecondsWhileReadsFail() {
    api.deny("watch", "endpoints");
    for (seconds = 0; seconds < 20; seconds++) {
      informer.check();
      informer.readFailed();
      informer.readAnswered();
    }

    assertEquals(4, starts.get());
  }

  @Test
  void restartsEveryHalfMinuteWhileReadsSucceed() {
    api.deny("watch", "endpoints");
    for (seconds = 0; seconds < 120; seconds++) {
      informer.check();
      informer.readAnswered();
    }

    assertEquals(4, starts.get());
  }

  @Test
  void noRestartWhileWatching() {
    informer.readAnswered();
    await().until(informer::isWatching);
    for (seconds = 0; seconds < 120; seconds++) {
      assertTrue(informer.check());
      informer.readFailed();
      informer.readAnswered();
    }

    assertEquals(1, starts.get());
  }
}
