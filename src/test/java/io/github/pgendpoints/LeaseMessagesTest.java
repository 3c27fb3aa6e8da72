package io.github.pgendpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.github.pgendpoints.alert.KubernetesErrors;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class LeaseMessagesTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(LeaseMessages.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final LeaseMessages messages =
      new LeaseMessages(
          "pem",
          "rw and ro",
          new KubernetesErrors(new ConfigBuilder().withMasterUrl("https://10.0.0.1:6443").build()));

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(lines);
  }

  private List<String> said() {
    return lines.list.stream()
        .map(event -> event.getLevel() + " " + event.getFormattedMessage())
        .toList();
  }

  private static KubernetesClientException refused(int code, String message) {
    return new KubernetesClientException(
        message, code, new StatusBuilder().withCode(code).withMessage(message).build());
  }

  private static KubernetesClientException unanswered(String message) {
    return new KubernetesClientException(message, new IOException(message));
  }

  /** A renewal is a patch. The attempt after a failed renewal is a read. */
  @Test
  void reportsOneRefusalOfSeveralRequestsOnce() {
    for (int i = 0; i < 3; i++) {
      messages.failed(refused(403, "cannot patch resource \"leases\""));
      messages.failed(refused(403, "cannot get resource \"leases\""));
    }
    assertEquals(1, said().size(), said().toString());

    messages.failed(refused(500, "etcdserver: request timed out"));
    assertEquals(2, said().size(), said().toString());

    messages.recovered();
    messages.failed(refused(500, "etcdserver: request timed out"));
    assertEquals(4, said().size(), said().toString());
  }

  @Test
  void reportsEachCauseOfAnAnswerThatIsMissing() {
    messages.failed(unanswered("Connection refused"));
    messages.failed(unanswered("Connection refused"));
    messages.failed(unanswered("Network is unreachable"));

    assertEquals(2, said().size(), said().toString());
    assertTrue(said().get(1).contains("Network is unreachable"), said().toString());
  }
}
