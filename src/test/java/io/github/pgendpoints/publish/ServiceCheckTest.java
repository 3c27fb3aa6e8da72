package io.github.pgendpoints.publish;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.github.pgendpoints.alert.Alert;
import io.github.pgendpoints.alert.Conditions;
import io.github.pgendpoints.alert.TestConditions;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServiceCheckTest {
  private long seconds;
  private final Conditions conditions = TestConditions.create();
  private final ServiceCheck services =
      new ServiceCheck("postgresql", conditions, () -> seconds * 1_000_000_000);
  private final Plan plan =
      new Publisher("pg-rw", "pg-ro", "postgresql", 5432, false, Clock.systemUTC())
          .cleared(new Actual(null, List.of()));

  @Test
  void warnsOnceOfAPortByAnotherNameAlsoWhenTheServiceGetsItLater() {
    services.checked(plan, service("postgresql"));
    assertEquals(List.of(), news());

    services.checked(plan, service("db"));
    assertEquals(
        List.of(
            "Service pg-rw names its port 'db', its Endpoints will name it 'postgresql':"
                + " nothing is routed until PORT_NAME is the Service's own"),
        news());
    services.checked(plan, service("db"));
    assertEquals(List.of(), news());
  }

  @Test
  void looksAgainAWhileAfterTheRoleDidNotLetIt() {
    assertTrue(services.isCheckDue(plan));
    services.notGranted();
    assertFalse(services.isCheckDue(plan));
    seconds = 30;
    assertTrue(services.isCheckDue(plan));
  }

  private List<String> news() {
    return conditions.news().stream().map(Alert::message).toList();
  }

  private static Service service(String portName) {
    return new ServiceBuilder()
        .withNewSpec()
        .addNewPort()
        .withName(portName)
        .endPort()
        .endSpec()
        .build();
  }
}
