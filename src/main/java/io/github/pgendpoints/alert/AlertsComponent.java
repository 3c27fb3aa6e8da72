package io.github.pgendpoints.alert;

import java.util.Map;
import java.util.Set;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.MultipleConsumersSupport;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/**
 * The alert channel {@code alerts:all}, which passes each alert to every route that starts with it.
 * Camel's {@code seda} with several consumers neither keeps the order nor isolates the consumers.
 */
public final class AlertsComponent extends DefaultComponent {
  private final Sinks sinks;
  private final SinkSettings settings;

  public AlertsComponent(Sinks sinks, SinkSettings settings) {
    this.sinks = sinks;
    this.settings = settings;
  }

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    if (!remaining.equals("all")) {
      throw new IllegalArgumentException("the alert channel is alerts:all, not " + uri);
    }
    int queue = getAndRemoveParameter(parameters, "queue", Integer.class, 1000);
    if (queue < 1) {
      throw new IllegalArgumentException("queue is " + queue + ", allowed: 1 and more");
    }
    String needs = getAndRemoveParameter(parameters, "needs", String.class, "");
    Set<AlertFilter> only =
        AlertFilter.parse(getAndRemoveParameter(parameters, "only", String.class, ""));
    return new AlertsEndpoint(uri, queue, needs, only);
  }

  /** Refuses the parameters that are left. Camel's own message doesn't list what is allowed. */
  @Override
  protected void validateParameters(
      String uri, Map<String, Object> parameters, String optionPrefix) {
    if (!parameters.isEmpty()) {
      throw new IllegalArgumentException(
          "alerts:all has no parameter %s, allowed: needs, only, queue"
              .formatted(String.join(", ", parameters.keySet())));
    }
  }

  /** The alert channel as one route sees it. */
  private final class AlertsEndpoint extends DefaultEndpoint implements MultipleConsumersSupport {
    private final int queue;
    private final String needs;
    private final Set<AlertFilter> only;

    AlertsEndpoint(String uri, int queue, String needs, Set<AlertFilter> only) {
      super(uri, AlertsComponent.this);
      this.queue = queue;
      this.needs = needs;
      this.only = only;
    }

    @Override
    public Producer createProducer() {
      return new DefaultProducer(this) {
        @Override
        public void process(Exchange exchange) {
          sinks.send(exchange.getMessage().getBody(Alert.class));
        }
      };
    }

    @Override
    public Consumer createConsumer(Processor processor) throws Exception {
      settings.check(needs);
      AlertsConsumer consumer = new AlertsConsumer(this, processor, sinks, queue, only);
      configureConsumer(consumer);
      return consumer;
    }

    @Override
    public boolean isMultipleConsumersSupported() {
      return true;
    }
  }
}
