package io.github.pgendpoints.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.pgendpoints.support.kubernetes.FakeApiServer;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import org.junit.jupiter.api.RepeatedTest;

@ManagerTest(
    cluster = ManagerTest.Cluster.PER_TEST,
    namespace = "elsewhere",
    services = {"writes", "reads"},
    tls = true)
class ManagerExtensionTest {
  private static FakeApiServer previous;

  private final FakeApiServer api;

  ManagerExtensionTest(FakeApiServer api) {
    this.api = api;
  }

  @RepeatedTest(2)
  void eachTestHasAnApiServerOfItsOwnAsTheAnnotationDescribes() throws Exception {
    assertEquals("elsewhere", api.namespace());
    assertNotNull(api.service("writes"));
    assertNotNull(api.service("reads"));
    assertTrue(api.url().startsWith("https://"), api.url());
    new Socket(InetAddress.getLoopbackAddress(), api.port()).close();
    if (previous != null) {
      assertThrows(
          ConnectException.class,
          () -> new Socket(InetAddress.getLoopbackAddress(), previous.port()),
          "the server of the earlier test is closed");
    }
    previous = api;
  }
}
